"""The page docs/clients.md against the table that it is made from."""

from __future__ import annotations

import re

from tests.clients.adapters import CLIENTS, versions
from tests.clients.page import heading, label, page
from tests.clients.runner import Operation, Outcome, operations
from tests.clients.stage import ORGS, ROOT

PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")


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


def test_what_was_not_run_is_never_shown_as_passed() -> None:
    row = Operation("jsforce", "query", [])
    text = page([row], [Outcome(row, ORGS[0], "not run", "no Node")], {"jsforce": "1"}, "today")
    assert f"| query |{' – |' * len(ORGS)}" in text


def test_every_operation_is_proven_by_more_than_that_it_ended() -> None:
    assert not [row.name for row in operations() if not (row.expect or row.proof or row.files or row.refused)]
