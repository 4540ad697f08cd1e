"""The page docs/emulated-cloud.md: every action of the emulated cloud, and the tests that call it.

`python -m tests.emulated_cloud` makes the page of `emulated_cloud.json`; with `--record` it first runs the tests of the
emulated cloud and writes down, in that table, which test calls what.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from emulators.coverage import listening
from emulators.registry import Emulated, emulated

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "emulated-cloud.md"
TABLE = Path(__file__).with_suffix(".json")
RECORDED = ("tests/emulators/alicloud", "tests/emulators/oss")

SWEEP = {"tests/emulators/alicloud/test_rpc_api.py": 1}
"""The callers of an action that only the test of wrong calls asks for."""

Callers = Mapping[str, int]
"""How many tests of a file call an action, by the file's path from the root."""


def actions() -> list[Emulated]:
    """Return the actions of Alibaba Cloud that are emulated, sorted."""
    return [each for each in emulated() if not each[0].startswith("Salesforce")]


def callers() -> dict[Emulated, Callers]:
    """Return the rows of the table; an action that no test calls has a row without callers."""
    rows = json.loads(TABLE.read_text(encoding="utf-8"))["actions"]
    return {(row["product"], row["version"], row["action"]): row["called_by"] for row in rows}


def page() -> str:
    """Return the page's text. Raises `KeyError` for an action that the table has no row of."""
    rows, as_of = callers(), json.loads(TABLE.read_text(encoding="utf-8"))["as_of"]
    every = actions()
    called = sum(bool(rows[action]) for action in every)
    swept = sum(rows[action] == SWEEP for action in every)
    suites = " and ".join(f"`{suite}`" for suite in RECORDED)
    lines = [_HEAD.format(as_of=as_of, every=len(every), called=called, swept=swept, suites=suites)]
    for product, version in sorted({action[:2] for action in every}):
        lines += [f"## {product} {version}", "", "| action | tested by |", "|---|---|"]
        lines += [f"| {action[2]} | {_cell(rows[action])} |" for action in every if action[:2] == (product, version)]
        lines.append("")
    return "\n".join(lines)


_HEAD = """\
# The emulated cloud

Which actions of Alibaba Cloud the emulators answer, by product and version of its API, and the tests that call them: \
in brackets, how many tests of the file do. Made by `python -m tests.emulated_cloud` of the emulators' own list and of \
`tests/emulated_cloud.json`, which was recorded on {as_of} with {suites}; a test holds both current.

A call counts once it reaches the action's handler, whether the answer is a refusal or not, and also when a test calls \
the action only to get at something else. "–": none of these tests calls it. The end-to-end tests, in which the real \
provider calls the emulators, run them in a process of its own and are not counted.

One test of `alicloud/test_rpc_api.py` asks every RPC action wrongly; where that file stands alone with (1), nothing \
else asks for the action. Of {every} actions, {called} are called, {swept} of them by that test alone.
"""


def _cell(counts: Callers) -> str:
    # The file that asks most of an action is the one that is about it.
    most_first = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    shown = [f"`{file.removeprefix('tests/emulators/')}` ({count})" for file, count in most_first[:3]]
    more = [f"{len(counts) - 3} more"] if len(counts) > 3 else []
    return ", ".join([*shown, *more]) or "–"


class Recorder:
    """Notes which test calls what. Fixtures count for the test that they are first made for."""

    def __init__(self) -> None:
        self.tests: defaultdict[Emulated, set[str]] = defaultdict(set)
        self.test = ""

    def note(self, product: str, version: str, action: str) -> None:
        """Take a call that reached a handler, as `emulators.coverage.listening` tells it."""
        if self.test:
            self.tests[product, version, action].add(self.test)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Listen while a test runs."""
        self.test = item.nodeid
        with listening(self.note):
            try:
                return (yield)
            finally:
                self.test = ""

    def table(self, every: Iterable[Emulated], today: dt.date) -> dict[str, Any]:
        """Return the table of what was noted so far."""
        return {
            "source": f"python -m tests.emulated_cloud --record, which runs {' '.join(RECORDED)}",
            "as_of": today.isoformat(),
            "actions": [
                {
                    "product": action[0],
                    "version": action[1],
                    "action": action[2],
                    "called_by": dict(sorted(Counter(t.partition("::")[0] for t in self.tests[action]).items())),
                }
                for action in every
            ],
        }


def _lines(table: Mapping[str, Any]) -> str:
    """Return the table as JSON with one line an action, so that a difference of two is readable."""
    head = "".join(f"  {json.dumps(key)}: {json.dumps(table[key])},\n" for key in ("source", "as_of"))
    rows = ",\n".join(f"    {json.dumps(row)}" for row in table["actions"])
    return f'{{\n{head}  "actions": [\n{rows}\n  ]\n}}\n'


def record() -> int:
    """Run the tests and write the table; return pytest's exit code. Half a run or a failed one writes none."""
    recorder = Recorder()
    for path in (path for folder in RECORDED for path in sorted((ROOT / folder).glob("test_*.py"))):
        # One by one, as workers take them: the tests of all files together make more buckets than an account may have.
        code = int(pytest.main(["-q", "-n", "0", str(path)], plugins=[recorder]))
        if code:
            return code
    table = recorder.table(actions(), dt.datetime.now(dt.UTC).date())
    TABLE.write_text(_lines(table), encoding="utf-8")
    return 0


def main(arguments: list[str]) -> int:
    """Write the page, with `--record` the table before it; return the exit code."""
    if "--record" in arguments and (code := record()):
        return code
    PAGE.write_text(page(), encoding="utf-8")
    sys.stderr.write(f"{PAGE}: {len(actions())} actions\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
