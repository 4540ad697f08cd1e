"""The freeze calendar's file: what the shipped one says, and how a faulty one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.problems import Refused
from orgs.federation import load_federation
from orgs.freezes import DEFAULT_FILE, load_freezes


def test_the_shipped_calendar_is_valid_and_each_freeze_has_a_source() -> None:
    freezes = load_freezes(None, load_federation())
    assert all(freeze.source for freeze in (*freezes.upgrades, *freezes.own))


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("end: 2027-01-02", "end: 2026-12-01", "ends before it starts"),
        ("orgs: [global-production,", "orgs: [global-prodution,", "no org is called global-prodution"),
        ("zh: 年终结账", "zz: 年终结账", "own.0.zh"),
    ],
)
def test_a_faulty_calendar_is_refused_by_its_line(tmp_path: Path, old: str, new: str, what: str) -> None:
    text = DEFAULT_FILE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "freezes.yml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(Refused, match=what) as refused:
        load_freezes(file, load_federation())
    assert refused.value.problems[0].place
    assert refused.value.problems[0].place.line >= 20
