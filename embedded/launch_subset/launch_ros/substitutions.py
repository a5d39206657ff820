"""Where packages are installed."""

from ament_index_python.packages import get_package_prefix, get_package_share_directory
from launch.missing import missing_names
from launch.substitutions import Substitution, describe, normalize, perform


class FindPackageShare(Substitution):
    """The share folder of a package."""

    def __init__(self, package):
        self.package = normalize(package)

    def perform(self, context):
        return get_package_share_directory(perform(context, self.package))

    def describe(self):
        return f"FindPackageShare({describe(self.package)})"


class FindPackagePrefix(FindPackageShare):
    """The folder a package is installed in."""

    def perform(self, context):
        return get_package_prefix(perform(context, self.package))


__getattr__ = missing_names(__name__)
