"""`./pilot test`: the tests of all packages with colcon, then those that span rooms and those of the embedded ROS 2."""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

HOUSE_FOLDERS = ("test", "embedded/test")
EMBEDDED_FOLDERS = (
    "embedded/launch_subset/test",
)  # where official packages exist, the subset is not installed
SHOWN_LINES = 12  # of a failure; the whole of it stands in the result file


@dataclass
class Suite:
    """Result of the tests of one package or folder."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)


def run(arguments: Sequence[str]) -> int:
    """Run the command. Return 0 when all tests pass, 1 otherwise, 2 for a wrong command line."""
    root, world = Path(os.environ["HIGHWAY_PILOT_ROOT"]), os.environ["HIGHWAY_PILOT_WORLD"]
    state = root / ".pilot" / world
    folders = HOUSE_FOLDERS + (EMBEDDED_FOLDERS if world == "embedded" else ())
    packages = sorted(manifest.parent.name for manifest in (root / "src").glob("*/package.xml"))
    parser = argparse.ArgumentParser(prog="pilot test", description=__doc__)
    parser.add_argument("suites", nargs="*", help=f"packages or folders ({', '.join(folders)}); all if none")
    parser.add_argument("--json", action="store_true", help="last line on standard output: one JSON object")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.suites if name.rstrip("/") not in (*packages, *folders)]
    if unknown:
        parser.error(f"unknown suite '{unknown[0]}'")
    chosen = [name.rstrip("/") for name in options.suites] or [*packages, *folders]
    suites = _test_packages(root, state, [name for name in chosen if name in packages])
    suites += [
        _test_folder(root, state, name) for name in chosen if name in folders and (root / name).exists()
    ]
    _report(suites)
    if options.json:
        sys.stdout.write(f"{json.dumps(_summary(suites))}\n")
    return 1 if any(suite.failed for suite in suites) else 0


def _test_packages(root: Path, state: Path, packages: list[str]) -> list[Suite]:
    """Run colcon test and read what each package left."""
    if not packages:
        return []
    results = {name: state / "build" / name / "pytest.xml" for name in packages}
    for file in results.values():
        file.unlink(missing_ok=True)
    command = [
        *("colcon", "--log-base", state / "log", "test", "--base-paths", root / "src"),
        *("--build-base", state / "build", "--install-base", state / "install"),
        *("--python-testing", "pytest", "--event-handlers", "console_direct-", "console_cohesion-"),
        *("--packages-select", *packages),
    ]
    # What people read goes to standard error, so that the JSON line stands alone.
    code = subprocess.run(
        [str(word) for word in command], cwd=root, stdout=sys.stderr, check=False
    ).returncode
    suites = [_read(name, file) for name, file in results.items() if file.exists()]
    suites = [suite for suite in suites if suite.passed or suite.failed or suite.skipped]
    if code:
        suites.append(
            Suite("colcon", failed=1, failures=[("colcon test", f"ended with code {code}; see {state}/log")])
        )
    return suites


def _test_folder(root: Path, state: Path, folder: str) -> Suite:
    result = state / "test" / f"{folder.replace('/', '-')}.xml"
    result.unlink(missing_ok=True)
    _print(f"Starting >>> {folder}")
    command = [sys.executable, "-m", "pytest", "-q", folder, f"--junit-xml={result}"]
    begin = time.monotonic()
    code = subprocess.run(command, cwd=root, stdout=sys.stderr, check=False).returncode
    _print(f"Finished <<< {folder} [{time.monotonic() - begin:.1f}s]")
    if result.exists():
        return _read(folder, result)
    return Suite(folder, failed=1, failures=[(folder, f"pytest ended with code {code} without a result")])


def _read(name: str, file: Path) -> Suite:
    """Return what a JUnit file says."""
    suite = Suite(name)
    for case in ElementTree.parse(file).iter("testcase"):
        suite.seconds += float(case.get("time", 0.0))
        problem = next((found for tag in ("failure", "error") if (found := case.find(tag)) is not None), None)
        if problem is not None:
            suite.failed += 1
            test = f"{case.get('classname', '')}.{case.get('name', '')}"
            suite.failures.append((test, problem.text or problem.get("message") or ""))
        elif case.find("skipped") is not None:
            suite.skipped += 1
        else:
            suite.passed += 1
    return suite


def _report(suites: list[Suite]) -> None:
    for suite in suites:
        for test, text in suite.failures:
            lines = text.strip().splitlines()
            # pytest marks what was wrong with E; the code around it is left to the result file.
            lines = [line for line in lines if line.startswith("E ")] + lines[-1:] or lines
            _print(f"\nFAILED {suite.name}: {test}\n  " + "\n  ".join(lines[-SHOWN_LINES:]))
    _print(f"\n{'suite':<32}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for suite in suites:
        counts = f"{suite.passed:>8}{suite.failed:>8}{suite.skipped:>9}{suite.seconds:>9.1f}"
        _print(f"{suite.name:<32}{counts}")
    total = _summary(suites)
    _print(f"\n{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")


def _summary(suites: list[Suite]) -> dict[str, object]:
    totals = {key: sum(getattr(suite, key) for suite in suites) for key in ("passed", "failed", "skipped")}
    criteria = {
        f"failed in {suite.name}": {"value": suite.failed, "limit": 0, "pass": suite.failed == 0}
        for suite in suites
    }
    return {"verdict": "fail" if totals["failed"] else "pass", **totals, "criteria": criteria}


def _print(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
