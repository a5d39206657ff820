"""The command line, the launch files and the configuration of Highway Pilot."""
