"""The page docs/clients.md against the table that it is made from."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from tests.clients.adapters import CLIENTS, versions
from tests.clients.page import heading, label, page
from tests.clients.record import fingerprint, record, recorded
from tests.clients.runner import Operation, Outcome, operations
from tests.clients.stage import ORGS, ROOT

PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
ROW = Operation("jsforce", "query", ["query", "SELECT Id FROM Account"], expect={"done": True})


def sections() -> dict[str, str]:
    parts = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}


def test_every_operation_of_the_table_stands_on_the_page_once_with_a_sign_for_each_org() -> None:
    for client in CLIENTS:
        rows = sections()[f"{client} {versions()[client]}"]
        assert heading() in rows
        signs = dict(re.findall(r"^\| (.+?) \| ((?:[✓✗–] \|? ?)+)$", rows, flags=re.MULTILINE))
        wanted = [label(row) for row in operations() if row.client == client]
        assert sorted(signs) == sorted(wanted)
        assert {len(re.findall("[✓✗–]", each)) for each in signs.values()} == {len(ORGS)}


def test_the_page_names_the_versions_that_are_locked_and_no_others() -> None:
    assert sorted(sections()) == sorted(f"{client} {version}" for client, version in versions().items())


def test_cci_is_asked_for_25_stock_tasks_and_5_stock_flows_at_least() -> None:
    proven = (row for row in operations() if row.client == "cci" and not row.refused and not row.production)
    runs = [row.run.split() for row in proven]
    assert len({words[2] for words in runs if words[:2] == ["task", "run"]}) >= 25
    assert len({words[2] for words in runs if words[:2] == ["flow", "run"]}) >= 5


def test_the_page_is_what_the_runs_on_record_say() -> None:
    hint = "run `python -m tests.clients --org ORG CLIENT` for what was changed, or `make matrix`"
    assert page(operations(), recorded(), versions()) == PAGE, hint


def written(tmp_path: Path, outcome: Outcome, row: Operation = ROW, version: str = "1") -> str:
    record([outcome], "2026-01-02", {"jsforce": "1"}, tmp_path / "outcomes.json")
    return page([row], recorded(tmp_path / "outcomes.json"), {"jsforce": version})


def test_what_was_run_is_shown_with_its_day_for_its_own_org_only(tmp_path: Path) -> None:
    text = written(tmp_path, Outcome(ROW, ORGS[0], "passed"))
    assert f"| query | ✓{' | –' * (len(ORGS) - 1)} |" in text
    assert f"| *run on* | 2026-01-02{' | not run' * (len(ORGS) - 1)} |" in text
    assert f"**Partial: 1 of {len(ORGS)} were run** (1 ✓, 0 ✗, {len(ORGS) - 1} –)" in text


def test_what_was_not_run_is_never_shown_as_passed(tmp_path: Path) -> None:
    assert f"| query |{' – |' * len(ORGS)}" in written(tmp_path, Outcome(ROW, ORGS[0], "not run", "no Node"))


def test_a_row_that_was_changed_after_its_run_is_shown_as_not_run(tmp_path: Path) -> None:
    changed = replace(ROW, expect={"done": False})
    assert f"| query |{' – |' * len(ORGS)}" in written(tmp_path, Outcome(ROW, ORGS[0], "passed"), changed)
    assert fingerprint(replace(ROW, short=True)) == fingerprint(ROW)


def test_a_run_of_another_version_of_the_client_is_shown_as_not_run(tmp_path: Path) -> None:
    assert f"| query |{' – |' * len(ORGS)}" in written(tmp_path, Outcome(ROW, ORGS[0], "passed"), version="2")


def test_a_new_run_takes_the_place_of_the_one_before_and_of_no_other(tmp_path: Path) -> None:
    written(tmp_path, Outcome(ROW, ORGS[0], "passed"))
    written(tmp_path, Outcome(ROW, ORGS[1], "passed"))
    assert "| query | ✗ | ✓ |" in written(tmp_path, Outcome(ROW, ORGS[0], "failed", "why"))


def test_when_all_was_run_the_page_says_so(tmp_path: Path) -> None:
    for org in ORGS[1:]:
        written(tmp_path, Outcome(ROW, org, "passed"))
    text = written(tmp_path, Outcome(ROW, ORGS[0], "failed"))
    assert f"which ran all of it: {len(ORGS) - 1} ✓, 1 ✗, 0 –." in text


def test_every_operation_is_proven_by_more_than_that_it_ended() -> None:
    assert not [row.name for row in operations() if not (row.expect or row.proof or row.files or row.refused)]
