"""The report: one self-contained page that replays a drive and says in words what the car did and why."""

from pilot_evaluation.report.data import report_data
from pilot_evaluation.report.page import ReportHeader, write_report
from pilot_evaluation.report.signals import ExtraCurve

__all__ = ["ExtraCurve", "ReportHeader", "report_data", "write_report"]
