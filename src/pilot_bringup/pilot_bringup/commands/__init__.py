"""The commands of `./pilot`, one module each, imported only when called."""
