"""Rows in files: a CSV and a JSON per suite and vehicle, every case in it."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from pilot_evaluation.proving.case import Row, Setting, Suite
from pilot_evaluation.results import plain_number

FIRST = ("family", "name", "verdict", "reason")


def stem(suite: Suite, setting: Setting) -> str:
    """`<suite>-<vehicle>[-perfect]`: what the files of a suite begin with."""
    return f"{suite.key}-{setting.vehicle.name}" + ("-perfect" if setting.perfect else "")


def write_rows(folder: Path, suite: Suite, setting: Setting, rows: Sequence[Row]) -> tuple[Path, Path]:
    """Writes the `.csv` and the `.json`; returns both."""
    table, plain = (folder / f"{stem(suite, setting)}.{kind}" for kind in ("csv", "json"))
    parameters = list(dict.fromkeys(key for row in rows for key in row.parameters))
    measures = list(dict.fromkeys(key for row in rows for key in row.measures))
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow((*FIRST, *parameters, *measures, "note"))
        for row in rows:
            numbers = [_short(row.parameters.get(key)) for key in parameters]
            numbers += [_short(row.measures.get(key)) for key in measures]
            writer.writerow((row.family, row.name, row.verdict, row.reason, *numbers, row.note))
    content = [
        {
            "family": row.family,
            "name": row.name,
            "verdict": row.verdict,
            "reason": row.reason,
            "parameters": dict(row.parameters),
            "measures": dict(row.measures),
            "note": row.note,
        }
        for row in rows
    ]
    plain.write_text(json.dumps(content, ensure_ascii=False, default=plain_number) + "\n", encoding="utf-8")
    return table, plain


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
