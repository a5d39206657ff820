"""The tables of `docs/rules.md`, made from the packs themselves.

    python -m pilot_common.rule_table docs/rules.md

writes them anew; a test compares.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from pilot_common import rule_memories
from pilot_common.folders import config_folder
from pilot_common.rule_signals import SIGNALS, TOPIC_NAMES
from pilot_common.rules import Clause, ClauseParameter, Pack, load_packs

HEAD = """# Rules

Clauses of regulations and standards as data, in [`config/rules/`](../config/rules). One monitor (`pilot_common/rules.py`)
steps them in the car, where supervision tells what does not hold and changes no mode for it, over a recording
(`./pilot audit BAG`) and in the proving ground. A clause applies *when* its condition holds; then its *formula* must.

Marks: **F** found in a public source, **F2** through a secondary one, **M** from memory, **M?** from memory and uncertain,
**house** our own. A clause marked M or M? may warn, it never decides against a drive: the loader refuses it. Every clause has
a trace that keeps it and one that breaks it (`src/pilot_common/test/rule_traces.py`).

This file is written by `python -m pilot_common.rule_table docs/rules.md`.
"""


def document(packs: Iterable[Pack]) -> str:
    """The whole file."""
    return "\n".join([HEAD, *(_pack(pack) for pack in packs), _language(), _signals()])


def _pack(pack: Pack) -> str:
    lines = [
        f"## {pack.title} (`{pack.name}`)\n",
        "| id | clause | market | title | provenance | severity | when | formula |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(clause) for clause in pack.clauses),
    ]
    if pack.definitions:
        lines += ["", *(f"`{name}`: `{' '.join(text.split())}`\n" for name, text in pack.definitions.items())]
    if pack.not_evaluated:
        lines += ["", "Not evaluated:\n", *(f"- {left.title}: {left.reason}" for left in pack.not_evaluated)]
    return "\n".join(lines) + "\n"


def _row(clause: Clause) -> str:
    given = "; ".join(f"{name} = {_number(p)}" for name, p in clause.parameters.items())
    cells = (
        f"`{clause.id}`",
        clause.clause,
        clause.market,
        f"{clause.title.en}<br>{clause.title.zh}",
        f"{clause.provenance.mark.written}: {clause.provenance.source}",
        clause.severity.name.lower(),
        f"`{' '.join(clause.when.split())}`",
        f"`{clause.formula}`" + (f"<br>{given}" if given else ""),
    )
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _number(parameter: ClauseParameter) -> str:
    if parameter.table is not None:
        points = ", ".join(f"{x:g}: {y:g}" for x, y in parameter.table)
        return f"{{{points}}} {parameter.unit}".strip()
    return f"{parameter.value:.4g} {parameter.unit}".strip()


def _language() -> str:
    table = (rule_memories.__doc__ or "").split("\n\n", 1)[1].strip()
    plain = "Arithmetic, comparisons, `and`, `or`, `not`, `abs`, `min`, `max`, `within(x, low, high)`, tables, the formulas"
    return f"## The language\n\n{plain} of `pilot_common/regulation.py`, and what looks back:\n\n{table}\n"


def _signals() -> str:
    lines = ["## The signals\n", "| name | unit | from | meaning |", "|---|---|---|---|"]
    for row in SIGNALS.values():
        unit = "yes or no" if row.kind is rule_memories.Kind.CONDITION else row.unit
        lines.append(f"| `{row.name}` | {unit} | {TOPIC_NAMES[row.topic]} | {row.meaning} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Writes the file named."""
    Path(sys.argv[1]).write_text(document(load_packs(config_folder())), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
