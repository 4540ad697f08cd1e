"""How a row is filled in, and what becomes of a client that does not answer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.clients.adapters import Failed, Lines
from tests.clients.runner import filled

KEPT = {"url": "https://a.example", "account": "001"}


def test_names_are_filled_in_wherever_they_stand() -> None:
    asked = {"run": ["delete", "<account>"], "environment": {"AT": "<url>/x"}, "number": 1}
    assert filled(asked, KEPT) == {"run": ["delete", "001"], "environment": {"AT": "https://a.example/x"}, "number": 1}


def test_a_name_under_which_nothing_was_kept_is_an_error() -> None:
    with pytest.raises(KeyError, match="validation"):
        filled(["--job-id <validation>"], KEPT)


def test_elements_in_a_pattern_for_xml_are_no_names_even_when_they_look_like_one() -> None:
    proof = {"read": "RemoteSiteSetting <account>", "like": "<editable>true</editable>\\s*<url>"}
    assert filled(proof, KEPT) == {"read": "RemoteSiteSetting 001", "like": "<editable>true</editable>\\s*<url>"}


ECHO = """
import json, sys, time
for line in sys.stdin:
    time.sleep(json.loads(line))
    print(json.dumps({"slept": json.loads(line)}), flush=True)
"""


def test_a_client_that_does_not_answer_in_time_fails_and_the_next_operation_has_a_new_one(tmp_path: Path) -> None:
    lines = Lines([sys.executable, "-c", ECHO], tmp_path, {}, patience=5)
    try:
        assert lines.ask(0) == {"slept": 0}
        lines.patience = 0.3
        with pytest.raises(Failed, match=r"no answer in 0\.3 s"):
            lines.ask(600)
        lines.patience = 5
        assert lines.ask(0) == {"slept": 0}
    finally:
        lines.close()
