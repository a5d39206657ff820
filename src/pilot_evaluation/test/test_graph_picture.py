"""The picture of the data flow says what the table says."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from pilot_common.folders import config_folder
from pilot_common.graph import HEALTH, Graph, load_graph
from pilot_evaluation.graph_picture import GraphPicture

PICTURE = config_folder().parent / "docs" / "graph.svg"


@pytest.fixture(scope="module")
def graph() -> Graph:
    return load_graph(config_folder())


@pytest.mark.skipif(not PICTURE.parent.is_dir(), reason="docs/ lies only in the source tree")
def test_picture_in_the_docs_is_up_to_date(graph: Graph) -> None:
    assert PICTURE.read_text(encoding="utf-8") == GraphPicture(graph).svg(), (
        "run: ./pilot exec python -m pilot_evaluation.graph_picture docs/graph.svg"
    )


def test_every_function_and_every_topic_is_named(graph: Graph) -> None:
    root = ElementTree.fromstring(GraphPicture(graph).svg())
    words = " ".join(text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text"))
    for function in graph.functions:
        assert function.name in words
    for topic in graph.topics:
        for word in topic.removeprefix(HEALTH).split("_"):
            assert word in words


def test_nothing_lies_outside_the_picture(graph: Graph) -> None:
    svg = GraphPicture(graph).svg()
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    corners = re.findall(r"[ML](\d+) (\d+)", svg.split("</defs>")[1])
    boxes = re.findall(r'<rect class="[^"]*" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"', svg)
    assert len(boxes) >= len(graph.functions) + 1
    assert all(float(x) <= width and float(y) <= height for x, y in corners)
    assert all(float(x) + float(w) <= width and float(y) + float(h) <= height for x, y, w, h in boxes)


def test_boxes_do_not_overlap(graph: Graph) -> None:
    places = list(GraphPicture(graph).places.values())
    for index, one in enumerate(places):
        for other in places[index + 1 :]:
            assert abs(one.x - other.x) >= one.half + other.half or abs(one.y - other.y) > 58.0


def test_a_new_rate_changes_the_picture(graph: Graph) -> None:
    topics = dict(graph.topics)
    topics["world"] = replace(topics["world"], rate=25.0)
    assert "25 Hz" not in GraphPicture(graph).svg()
    assert "25 Hz" in GraphPicture(Graph(graph.file, topics, graph.functions)).svg()
