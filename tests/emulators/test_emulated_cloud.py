"""The page of the emulated cloud says what is emulated and what calls it, and what it says was recorded."""

from __future__ import annotations

import datetime as dt

from emulators.coverage import listening, note_call
from tests.emulated_cloud import PAGE, ROOT, Recorder, actions, callers, page


def test_every_action_of_the_emulated_cloud_has_its_row_and_no_other() -> None:
    assert sorted(callers()) == actions(), "run `python -m tests.emulated_cloud --record`"


def test_the_page_of_the_emulated_cloud_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.emulated_cloud`"


def test_every_file_that_the_page_names_is_there() -> None:
    named = {file for counts in callers().values() for file in counts}
    assert named
    assert [file for file in sorted(named) if not (ROOT / file).is_file()] == []


def test_a_recorder_counts_a_test_once_and_an_action_that_nobody_calls_has_no_callers() -> None:
    recorder = Recorder()
    called, idle = ("Vpc", "2016-04-28", "CreateVpc"), ("Vpc", "2016-04-28", "DeleteVpc")
    for test in ("test_a.py::one", "test_a.py::one", "test_a.py::two", "test_b.py::one", ""):
        recorder.test = test
        recorder.note(*called)
    table = recorder.table([called, idle], dt.date(2026, 11, 22))
    assert [row["called_by"] for row in table["actions"]] == [{"test_a.py": 2, "test_b.py": 1}, {}]


def test_who_listens_hears_calls_until_the_block_ends() -> None:
    heard: list[tuple[str, str, str]] = []
    with listening(lambda *call: heard.append(call)):
        note_call("Vpc", "2016-04-28", "CreateVpc")
    note_call("Vpc", "2016-04-28", "DeleteVpc")
    assert heard == [("Vpc", "2016-04-28", "CreateVpc")]
