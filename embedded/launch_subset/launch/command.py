"""The `ros2` command of the embedded world; it knows just `launch`."""

import argparse
import os
import sys

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import (
    PythonLaunchDescriptionSource,
    get_launch_description_from_python_launch_file,
)
from launch.substitutions import describe


class CommandError(Exception):
    """A command line that cannot be carried out."""


def main(arguments=None):
    """Run the command line. Return 0, or 1 with a message on standard error."""
    parser = argparse.ArgumentParser(
        prog="ros2", description="ROS 2 command, embedded subset: only 'launch'."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="launch")
    launch = commands.add_parser("launch", help="run a launch file")
    launch.add_argument(
        "package_name", help="package that holds the launch file, or the path of a launch file"
    )
    launch.add_argument("launch_file_name", nargs="?", help="name of the launch file in the package")
    launch.add_argument("launch_arguments", nargs="*", help="arguments as <name>:=<value>; the last one wins")
    launch.add_argument(
        "-s", "--show-args", action="store_true", help="show the arguments of the launch file"
    )
    launch.add_argument("-d", "--debug", action="store_true", help="show tracebacks of launch failures")
    launch.add_argument(
        *("-n", "--noninteractive"),
        action="store_true",
        default=not sys.stdin.isatty(),
        help="run without a terminal",
    )
    words = sys.argv[1:] if arguments is None else arguments
    if words and not words[0].startswith("-") and words[0] != "launch":
        print(
            f"'ros2 {words[0]}' is not in the embedded launch subset; use an official ROS 2 for it",
            file=sys.stderr,
        )
        return 1
    try:
        return _launch(parser.parse_args(words))
    except (CommandError, PackageNotFoundError, OSError, ImportError) as error:
        print(f"ros2 launch: {error}", file=sys.stderr)
        return 1


def _launch(options):
    path, words = _launch_file(options)
    given = dict(_pair(word) for word in words)
    description = get_launch_description_from_python_launch_file(path)
    declared = {argument.name: argument for argument in description.get_launch_arguments()}
    if options.show_args:
        _show(declared.values())
        return 0
    unknown = sorted(set(given) - set(declared))
    if unknown:
        known = ", ".join(declared) or "none"
        raise CommandError(f"unknown argument '{unknown[0]}' of {os.path.basename(path)}; it has: {known}")
    service = LaunchService(argv=words, debug=options.debug, noninteractive=options.noninteractive)
    include = IncludeLaunchDescription(PythonLaunchDescriptionSource(path), launch_arguments=given)
    service.include_launch_description(LaunchDescription([include]))
    return service.run()


def _launch_file(options):
    """Return (path, words for the launch file): of a path, or of a file in the share folder of a package."""
    package, name = options.package_name, options.launch_file_name
    words = options.launch_arguments
    if name is None or ":=" in name:
        if not os.path.isfile(package):
            raise CommandError(f"'{package}' is no launch file, and no launch file of a package was named")
        return package, ([name] if name else []) + words
    share = get_package_share_directory(package)
    found = [
        os.path.join(folder, name) for folder, _, names in os.walk(share, followlinks=True) if name in names
    ]
    if len(found) != 1:
        problem = "found more than once" if found else "not found"
        raise CommandError(
            f"file '{name}' was {problem} in the share directory of package '{package}': {share}"
        )
    return found[0], words


def _pair(word):
    name, separator, value = word.partition(":=")
    if not (name and separator and value):
        raise CommandError(f"malformed launch argument '{word}', expected format '<name>:=<value>'")
    return name, value


def _show(declared):
    print("Arguments (pass arguments as '<name>:=<value>'):")
    for argument in declared:
        print(f"\n    '{argument.name}':\n        {argument.description}")
        if argument.choices:
            print(f"        Valid choices are: {list(argument.choices)}")
        if argument.default_value is not None:
            print(f"        (default: {describe(argument.default_value)})")
    if not declared:
        print("\n  No arguments.")


if __name__ == "__main__":
    sys.exit(main())
