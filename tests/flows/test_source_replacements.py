from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flows.convert import Converted, convert
from flows.source.project import read_project
from kit.problems import Refused
from tests.flows.source_samples import write, xml


def converted(root: Path, text: str, **entry: Any) -> Converted:
    files: dict[str, str | bytes] = {"app/classes/A.cls": text, "app/classes/A.cls-meta.xml": xml("ApexClass")}
    files["new.txt"] = " from file\n"
    given = {"filename": "app/classes/A.cls", "replaceWithEnv": "SAMPLE_VALUE", **entry}
    project = {"packageDirectories": [{"path": "app"}], "replacements": [given]}
    return convert(read_project(write(root, files, project=json.dumps(project))), ["app"], "core")


def text_of(result: Converted) -> str:
    assert result.problems == ()
    return result.components[0].files[0].data.decode()


@pytest.mark.parametrize(
    ("entry", "value", "expected"),
    [
        ({"stringToReplace": "a.c"}, "X", "X abc\nv12"),
        ({"regexToReplace": "a.c"}, "X", "X X\nv12"),
        ({"regexToReplace": r"v(?<first>\d)(\d)$"}, "$2$<first>$$$&", "a.c abc\n21$v12"),
        ({"regexToReplace": r"[/[]|c\b"}, "", "a. ab\nv12"),
        ({"stringToReplace": "abc", "glob": "classes/**/*.{cls,trigger}", "filename": ""}, "X", "a.c X\nv12"),
        ({"stringToReplace": "abc", "glob": "*.trigger", "filename": ""}, "X", "a.c abc\nv12"),
        ({"stringToReplace": "abc", "replaceWithFile": "new.txt", "replaceWithEnv": ""}, "X", "a.c from file\nv12"),
        ({"stringToReplace": "abc", "replaceWhenEnv": [{"env": "SAMPLE_VALUE", "value": "X"}]}, "X", "a.c X\nv12"),
        ({"stringToReplace": "abc", "replaceWhenEnv": [{"env": "SAMPLE_VALUE", "value": "Y"}]}, "X", "a.c abc\nv12"),
        ({"stringToReplace": "abc", "replaceWithEnv": "GONE", "allowUnsetEnvVariable": True}, "X", "a.c \nv12"),
    ],
)
def test_text_is_put_in_while_the_source_is_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: dict[str, Any], value: str, expected: str
) -> None:
    monkeypatch.setenv("SAMPLE_VALUE", value)
    monkeypatch.delenv("GONE", raising=False)
    assert text_of(converted(tmp_path, "a.c abc\nv12", **entry)) == expected


def test_a_variable_that_is_not_set_is_refused_with_the_file_that_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SAMPLE_VALUE", raising=False)
    (problem,) = converted(tmp_path, "abc", stringToReplace="abc").problems
    assert "SAMPLE_VALUE" in problem.what
    assert problem.place
    assert problem.place.file.endswith("app/classes/A.cls")


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"stringToReplace": "a", "regexToReplace": "a"},
        {"stringToReplace": "a", "other": 1},
        {"regexToReplace": "("},
        {"regexToReplace": r"\p{Lu}"},
        {"stringToReplace": "a", "glob": "!(a)", "filename": ""},
        {"stringToReplace": "a", "replaceWhenEnv": [{"env": "A"}]},
    ],
)
def test_an_entry_that_is_not_understood_is_refused(tmp_path: Path, entry: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"replacements\[0\]"):
        converted(tmp_path, "", **entry)
