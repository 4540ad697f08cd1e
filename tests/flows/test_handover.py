from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows import handover
from kit.problems import Refused
from tests.landed import OUTPUTS


@pytest.fixture(autouse=True)
def no_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (handover.OUTPUTS_FILE, handover.STACK):
        monkeypatch.delenv(name, raising=False)


def engine(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a `pulumi` on PATH that runs a shell script."""
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_outputs_come_from_the_file_that_ci_hands_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(OUTPUTS))
    monkeypatch.setenv(handover.OUTPUTS_FILE, str(file))
    assert handover.read_outputs().storage_ledger_bucket == "acme-ledger"


def test_where_no_stack_is_named_all_three_ways_to_name_one_are_told() -> None:
    with pytest.raises(Refused) as refused:
        handover.read_outputs()
    fix = refused.value.problems[0].fix
    assert all(way in fix for way in (handover.STACK, handover.OUTPUTS_FILE, "sfoa emulators run --"))


def test_outputs_come_from_pulumi_for_the_stack_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "said.json").write_text(json.dumps(OUTPUTS))
    engine(tmp_path, f'echo "$@" > {tmp_path}/asked; cat {tmp_path}/said.json', monkeypatch)
    assert handover.read_outputs("local").region == "cn-shanghai"
    assert (tmp_path / "asked").read_text().split()[:5] == ["stack", "output", "--json", "--stack", "local"]


def test_without_a_stack_both_ways_to_name_one_are_said() -> None:
    with pytest.raises(Refused) as refused:
        handover.read_outputs()
    assert handover.STACK in str(refused.value)
    assert handover.OUTPUTS_FILE in str(refused.value)


def test_pulumi_s_own_words_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine(tmp_path, "echo \"error: no stack named 'local' found\" >&2; exit 255", monkeypatch)
    with pytest.raises(Refused, match="no stack named 'local' found"):
        handover.read_outputs("local")


@pytest.mark.parametrize(("text", "words"), [("{", "no JSON"), ("[]", "not a JSON object"), ("{}", "no outputs")])
def test_a_file_that_holds_no_outputs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    (tmp_path / "outputs.json").write_text(text)
    monkeypatch.setenv(handover.OUTPUTS_FILE, str(tmp_path / "outputs.json"))
    with pytest.raises(Refused, match=words):
        handover.read_outputs()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(handover.OUTPUTS_FILE, str(tmp_path / "none.json"))
    with pytest.raises(Refused, match="No such file"):
        handover.read_outputs()
