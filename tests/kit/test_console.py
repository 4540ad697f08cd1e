"""Outcomes of a command become exit codes, words on stderr and one envelope on stdout."""

import json

import click
import pytest
from click.testing import CliRunner

from kit.console import emit, guarded, json_option
from kit.problems import Place, Problem, Refused, UsageRefused

PROBLEM = Problem("ring is wrong", "rings are contiguous", "use 2", Place("federation.yml", 7), value="9")


def command(error: Exception | None) -> click.Command:
    @click.command()
    @json_option
    @guarded
    def run(as_json: bool) -> None:
        if error:
            raise error
        emit({"orgs": 7}, as_json=as_json, text="7 orgs")

    return run


def test_done_prints_text_or_the_envelope_to_stdout() -> None:
    assert CliRunner().invoke(command(None)).stdout == "7 orgs\n"
    result = CliRunner().invoke(command(None), ["--json"])
    assert json.loads(result.stdout) == {"status": 0, "result": {"orgs": 7}, "problems": []}


@pytest.mark.parametrize(
    ("error", "code"),
    [(Refused(PROBLEM), 1), (UsageRefused(PROBLEM), 2), (RuntimeError("password=hunter2hunter2"), 3)],
)
def test_each_kind_of_failure_has_its_exit_code_and_speaks_to_stderr(error: Exception, code: int) -> None:
    result = CliRunner().invoke(command(error))
    assert result.exit_code == code
    assert result.stdout == ""
    assert "hunter2" not in result.stderr
    if isinstance(error, Refused):
        assert "federation.yml:7: ring is wrong (got 9)" in result.stderr


def test_a_refusal_with_json_lists_its_problems_on_stdout() -> None:
    result = CliRunner().invoke(command(Refused(PROBLEM)), ["--json"])
    envelope = json.loads(result.stdout)
    assert envelope["status"] == 1
    assert envelope["problems"] == [
        {
            "what": "ring is wrong",
            "rule": "rings are contiguous",
            "fix": "use 2",
            "value": "9",
            "file": "federation.yml",
            "line": 7,
        }
    ]
