"""`./pilot prove`: what it refuses, and what it leaves behind."""

import csv
import json

import pytest

from pilot_bringup import cli

COLUMNS = "ego_speed_kph,cutin_speed_kph,long_dist_m,lat_vel_mps\n"
PASSES = COLUMNS + "110,40,3,0.8\n"  # the ego is past before the other comes over


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--suite", "r158"], "no suite 'r158'"),
        (["--suite", "r157", "--vehicle", "tank"], "unknown vehicle"),
        (["--suite", "r157", "--cases", "none.csv"], "no such file"),
        (["--suite", "r157", "--cases", "wrong.csv"], "needs the columns"),
        (["--suite", "iso", "--cases", "good.csv"], "--suite r157"),
        (["--suite", "r157", "--case", "cut_in-10-20-3-1"], "no case 'cut_in-10-20-3-1'"),
        (["--suite", "r157", "--jobs", "many"], "'many'"),
        (["--suite", "r157", "--cases", "good.csv", "--resume", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_wrong_words_are_one_line_and_code_2(words, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.csv").write_text("speed,gap\n1,2\n")
    (tmp_path / "good.csv").write_text(PASSES)
    assert cli.main(["prove", *words]) == cli.BAD_INPUT
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()  # nothing began


@pytest.fixture(scope="module")
def proved(tmp_path_factory):
    """One case of a file, driven by the sensors and by perfect perception."""
    folder = tmp_path_factory.mktemp("prove")
    cases = folder / "own.csv"
    cases.write_text(PASSES)
    words = ["prove", "--suite", "r157", "--cases", str(cases), "--jobs", "1", "--perfect"]
    code = cli.main([*words, "--out", str(folder / "out")])
    return code, folder / "out"


def test_a_case_that_holds_passes(proved):
    code, folder = proved
    summary = json.loads((folder / "summary.json").read_text())
    assert code == cli.PASSED
    assert summary["verdict"] == "pass"
    assert (summary["cases"], summary["contacts"], summary["preventable_contacts"]) == (1, 0, 0)
    assert {"share_braked", "mean_peak_deceleration", "false_activations"} <= set(summary)
    assert summary["perfect"]["cases"] == 1


def test_every_case_has_its_row_in_both_files(proved):
    _, folder = proved
    for stem in ("r157-sedan_ice", "r157-sedan_ice-perfect"):
        with (folder / f"{stem}.csv").open(newline="") as lines:
            (row,) = csv.DictReader(lines)
        (plain,) = json.loads((folder / f"{stem}.json").read_text())
        assert row["name"] == plain["name"] == "cut_in-110-40-3-0.8"
        assert float(row["ego_speed_kph"]) == 110.0
        assert float(row["contact"]) == plain["measures"]["contact"] == 0.0
        assert {"human_contact", "rss_contact", "reg157_contact", "fsm_contact"} <= set(row)


def test_the_scorecard_holds_all_it_shows(proved):
    _, folder = proved
    page = (folder / "scorecard-sedan_ice.html").read_text()
    assert "cut-in at 40 km/h" in page
    assert "With perfect perception" in page
    assert "src=" not in page
    assert "http" not in page


def test_one_case_leaves_a_report_a_bag_and_its_scenario(tmp_path, capsys):
    name = "cut_in-110-40-3-0.8"
    words = ["prove", "--suite", "r157", "--case", name, "--json", "--out", str(tmp_path / "one")]
    assert cli.main(words) == cli.PASSED
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["case"] == name
    assert answer["measures"]["contact"] == 0.0
    assert (tmp_path / "one" / "report.html").exists()
    assert list((tmp_path / "one" / "bag").glob("*.mcap"))
    again = ["simulate", "--scenario", str(tmp_path / "one" / "case.yaml"), "--seconds", "3", "--no-report"]
    assert cli.main([*again, "--out", str(tmp_path / "two")]) in (cli.PASSED, cli.FAILED)
