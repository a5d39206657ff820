"""Placeholder of the command line."""

import sys


def main() -> int:
    """Say what was asked for."""
    print("Highway Pilot", *sys.argv[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
