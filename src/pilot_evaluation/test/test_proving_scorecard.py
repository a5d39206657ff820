"""The scorecard: every suite on one page, which paints in a real browser without an error and without a network."""

from pathlib import Path

import pytest
from browser import PROGRAM, WHY_NOT, Browser

from pilot_common.folders import config_folder
from pilot_common.vehicle import load_vehicle
from pilot_evaluation.proving.case import ERROR, FAIL, PASS, Case, Row, Setting, Suite, summary_of
from pilot_evaluation.proving.r157 import R157
from pilot_evaluation.proving.r157_references import DRIVERS
from pilot_evaluation.proving.scorecard import Proof, page, write_scorecard

CONFIG = config_folder()
VEHICLE = load_vehicle("sedan_ice", CONFIG)
SETTING = Setting(vehicle=VEHICLE, config=CONFIG, seed=7)
NASTY = "<script>alert(1)</script>"


class Plain(Suite):
    key, title = "plain", "A plain suite"

    def cases(self, setting):
        return [Case(suite=self.key, family="f", name="a", parameters={})]


def cut_in(gap: float, lateral: float, verdict: str = PASS, **measures: float) -> Row:
    beside = {"preventable": 1.0}
    for driver in (*DRIVERS, "full_brake"):
        beside |= {f"{driver}_contact": 0.0, f"{driver}_impact_speed": 0.0}
        beside |= {f"{driver}_braked": 1.0, f"{driver}_peak_deceleration": 6.0}
    ours = {"contact": 0.0, "braked": 1.0, "friction_braked": 1.0, "peak_deceleration": 2.5}
    return Row(
        suite="r157",
        family="cut_in",
        name=f"cut_in-60-30-{gap:g}-{lateral:g}",
        parameters={"ego_speed_kph": 60, "cutin_speed_kph": 30, "long_dist_m": gap, "lat_vel_mps": lateral},
        verdict=verdict,
        reason="",
        measures=beside | ours | measures,
    )


def proofs() -> list[Proof]:
    rows = [
        cut_in(20, 0.5),
        cut_in(21, 0.5, braked=0.0, peak_deceleration=0.1),
        cut_in(5, 1.2, FAIL, contact=1.0, impact_speed=4.0),
        cut_in(6, 1.2, ERROR),
    ]
    plain = [
        Row(
            suite="plain",
            family="f",
            name="a",
            parameters={},
            verdict=PASS,
            reason="",
            measures={"contact": 0.0},
        ),
        Row(suite="plain", family=NASTY, name="b", parameters={}, verdict=FAIL, reason=NASTY, measures={}),
    ]
    r157 = R157(CONFIG)
    return [
        Proof(suite=r157, setting=SETTING, rows=rows, summary=r157.summary(SETTING, rows)),
        Proof(
            suite=Plain(),
            setting=SETTING,
            rows=plain,
            summary=summary_of(plain),
            perfect=summary_of(plain[:1]),
        ),
    ]


def test_the_page_says_what_failed_and_how_to_drive_it_again():
    text = page(VEHICLE, proofs(), "./pilot prove --suite r157", "0.1.0")
    assert "0 of 2 suites hold" in text
    assert "cut_in-60-30-5-1.2" in text
    assert "./pilot prove --suite r157" in text
    assert "With perfect perception" in text
    assert "1 cases hold" in text


def test_words_of_a_suite_cannot_become_markup():
    assert NASTY not in page(VEHICLE, proofs(), "./pilot prove", "0.1.0")


def test_a_vehicle_that_holds_everything_passes():
    rows = [cut_in(20, 0.5)]
    suite = R157(CONFIG)
    proof = Proof(suite=suite, setting=SETTING, rows=rows, summary=suite.summary(SETTING, rows))
    text = page(VEHICLE, [proof], "./pilot prove", "0.1.0")
    assert "PASS" in text
    assert "1 of 1 suites hold" in text


@pytest.mark.skipif(PROGRAM is None, reason=WHY_NOT)
def test_a_browser_paints_the_maps_and_tells_a_case(tmp_path: Path):
    file = tmp_path / "scorecard.html"
    write_scorecard(file, VEHICLE, proofs(), "./pilot prove", "0.1.0")
    with Browser(tmp_path / "profile", 1300) as browser:
        browser.open(file.as_uri())
        painted = browser.evaluate(
            """(() => {
                const canvas = document.querySelector(".maps canvas"), box = canvas.getBoundingClientRect();
                const pen = canvas.getContext("2d"), gap = 5 - 1, lateral = 17 - 12;
                const colour = Array.from(pen.getImageData(gap * 4 + 2, lateral * 4 + 2, 1, 1).data);
                const clientX = box.left + (gap + 0.5) / 59 * box.width, clientY = box.top + (lateral + 0.5) / 18 * box.height;
                canvas.dispatchEvent(new MouseEvent("click", {clientX, clientY}));
                return {maps: document.querySelectorAll(".maps canvas").length, colour,
                        told: document.getElementById("picked").textContent,
                        overflow: document.documentElement.scrollWidth > window.innerWidth};
            })()"""
        )
        assert painted["maps"] == 1
        assert painted["colour"] == [0xE0, 0x35, 0x2B, 255]  # a contact that a reference driver avoids
        assert "impact 14 km/h" in painted["told"]
        assert "--vehicle sedan_ice --seed 7 --case cut_in-60-30-5-1.2" in painted["told"]
        assert not painted["overflow"]
        assert browser.complaints == []
        assert browser.requests == [file.as_uri()]
