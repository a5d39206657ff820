"""Set-up of the checkout: environment, build and the variables to run in. Standard library only."""
