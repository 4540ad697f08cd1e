"""What people read when a file doesn't fit its model: words of the file, none of the library that read it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from kit.problems import Problem, Refused
from kit.yamlfile import parse_model, parse_yaml


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    support: str = "none"
    private_key: SecretStr | None = None


class Sample(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)
    name: Annotated[str, Field(pattern=r"^[a-z]+$")] = "a"
    count: Annotated[int, Field(ge=1, le=9)] = 1
    version: str = ""
    colour: Colour = Colour.RED
    size: Literal["small", "large"] = "small"
    day: date = date(2026, 1, 1)
    inner: Inner | None = None
    items: tuple[int, ...] = ()
    active: bool = True
    needed: int


def problem_of(text: str) -> Problem:
    with pytest.raises(Refused) as refused:
        parse_model(Sample, parse_yaml(text, "sample.yml"))
    (problem,) = refused.value.problems
    return problem


@pytest.mark.parametrize(
    ("line", "rule", "fix"),
    [
        ("name: Big Name", "text that fits ^[a-z]+$", "write it in that form"),
        ("count: two", "a whole number", "write a whole number, without quotes"),
        ("count: 0", "no less than 1", "make it no less than 1"),
        ("count: 10", "no more than 9", "make it no more than 9"),
        ("version: 62.0", "text", "write text; in quotes where it looks like a number, a day or yes and no"),
        ("colour: gren", "one of 'red' or 'green'", "use one of them; did you mean green?"),
        ("size: smal", "one of 'small' or 'large'", "use one of them; did you mean small?"),
        ("day: tomorrow", "a day", "write it as 2026-12-31"),
        ("inner: off", "keys with their values", "write `key: value` below it; to do without it, remove the line"),
        ("items: 3", "a list", "write [one, two], or a line with `- ` for each"),
        ("active: perhaps", "true or false", "write true or false"),
    ],
)
def test_a_value_that_does_not_fit_is_told_in_words_of_the_file(line: str, rule: str, fix: str) -> None:
    problem = problem_of(f"needed: 1\n{line}\n")
    assert (str(problem.place), problem.rule, problem.fix) == ("sample.yml:2", rule, fix)


def test_a_key_that_is_missing_is_named_with_what_to_add() -> None:
    problem = problem_of("count: 1\n")
    assert (problem.what, problem.fix) == ("needed: missing", "add needed")


def test_a_key_that_is_misspelt_is_told_with_the_one_that_was_meant() -> None:
    problem = problem_of("needed: 1\ninner:\n  suport: x\n")
    assert (str(problem.place), problem.what) == ("sample.yml:3", "inner.suport: not known here")
    assert problem.fix == "remove or rename it; did you mean support?"


def test_what_stands_behind_a_misspelt_key_is_not_shown() -> None:
    """It may be a secret: the engine hands decrypted values over under the key that was misspelt."""
    problem = problem_of("needed: 1\ninner:\n  privat_key: hidden-behind\n")
    assert "hidden-behind" not in str(problem)
    assert "did you mean private_key" in problem.fix


@pytest.mark.parametrize(
    "text",
    [
        "inner: {private_key: [hidden-behind]}",
        "inner: {private_key: 4711007}",
        "items: {private_key: hidden-behind}",
        "items: [{support: [private_key: hidden-behind]}]",
    ],
)
def test_a_secret_that_is_wrong_is_not_shown_nor_what_holds_one(text: str) -> None:
    problem = problem_of(f"needed: 1\n{text}\n")
    assert problem.value == ""
    assert "hidden-behind" not in str(problem)
    assert "4711007" not in str(problem)
