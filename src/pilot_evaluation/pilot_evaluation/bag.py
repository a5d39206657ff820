"""Bags as ROS 2 records and plays them."""

from pilot_evaluation.bag_reader import BagReader, Recorded
from pilot_evaluation.bag_recovery import RawRecord
from pilot_evaluation.bag_writer import BagWriter

__all__ = ["BagReader", "BagWriter", "RawRecord", "Recorded"]
