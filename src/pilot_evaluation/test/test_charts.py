"""Charts of the scorecard: what a person reads must be readable."""

import re
from itertools import combinations

from pilot_evaluation.proving.charts import LETTER, LINE, Dot, trade_off


def test_no_two_labels_of_a_trade_off_lie_over_one_another():
    dots = [
        Dot("Highway Pilot", "blue", 0.75, 0.0),
        Dot("RSS", "red", 0.83, 0.0),
        Dot("fuzzy safety model", "green", 0.667, 0.083),
        Dot("full brake from the first moment", "grey", 1.0, 0.083),
    ]
    labels = re.findall(
        r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="(start|end)">([A-Za-z ]+)</text>', trade_off(dots, "x")
    )
    assert [label[3] for label in labels] == [dot.name for dot in dots]
    boxes = []
    for x, y, anchor, name in labels:
        wide = LETTER * len(name)
        begin = float(x) - (wide if anchor == "end" else 0.0)
        boxes.append((begin, begin + wide, float(y)))
    for one, two in combinations(boxes, 2):
        assert abs(one[2] - two[2]) >= LINE or one[1] <= two[0] or two[1] <= one[0]
