from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.source.ignore import DEFAULTS, parse_ignore
from flows.source.project import read_project
from tests.flows.source_samples import write


@pytest.mark.parametrize(
    ("pattern", "path", "denied"),
    [
        ("*.md", "app/README.md", True),
        ("*.md", "app/README.mdx", False),
        ("/app/x", "app/x", True),
        ("/app/x", "other/app/x", False),
        ("app/x", "other/app/x", False),
        ("x", "other/app/x", True),
        ("**/profiles/**", "app/main/profiles/Admin.profile-meta.xml", True),
        ("**/profiles/**", "profiles/Admin.profile-meta.xml", True),
        ("**/profiles/**", "app/profiles", False),
        ("app/**/b", "app/b", True),
        ("app/**/b", "app/x/y/b", True),
        ("*.TS", "lwc/a/a.ts", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("file[0-9]", "file7", True),
        ("file[!0-9]", "file7", False),
        (r"\#file", "#file", True),
        ("# comment", "# comment", False),
        ("trailing  ", "trailing", True),
    ],
)
def test_a_pattern_denies_what_gitignore_would(pattern: str, path: str, denied: bool) -> None:
    assert parse_ignore([pattern]).denies(path, is_directory=False) is denied


def test_the_last_rule_that_fits_wins() -> None:
    ignore = parse_ignore(["*.cls", "!Keep.cls"])
    assert ignore.denies("app/Drop.cls", is_directory=False)
    assert not ignore.denies("app/Keep.cls", is_directory=False)


def test_a_rule_ending_in_a_slash_is_for_folders_alone() -> None:
    ignore = parse_ignore(["build/"])
    assert ignore.denies("app/build", is_directory=True)
    assert not ignore.denies("app/build", is_directory=False)


def test_tests_and_editor_files_of_components_are_ignored_by_default() -> None:
    ignore = parse_ignore(DEFAULTS)
    for path in ("app/lwc/a/__tests__/a.test.js", "app/lwc/jsconfig.json", "app/lwc/.eslintrc.json", "app/.DS_Store"):
        assert ignore.denies(path, is_directory=False), path
    assert not ignore.denies("app/staticresources/kit/jsconfig.json", is_directory=False)


def test_the_next_forceignore_from_a_package_directory_upward_counts(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        ".forceignore": "*.md\n",
        "work/app/a.md": "",
        "work/app/a.txt": "",
        "work/own/.forceignore": "/a.txt\n",
        "work/own/a.md": "",
        "work/own/a.txt": "",
        "work/own/sub/a.txt": "",
    }
    write(tmp_path, files)
    data = '{"packageDirectories": [{"path": "app"}, {"path": "own"}]}'
    project = read_project(write(tmp_path / "work", {}, project=data))
    assert [file.name for file in project.files("app")] == ["app/a.txt"]
    assert [file.name for file in project.files("own")] == ["own/a.md", "own/sub/a.txt"]


def test_a_package_directory_below_an_ignored_folder_has_no_files(tmp_path: Path) -> None:
    data = '{"packageDirectories": [{"path": "packages/app"}]}'
    files: dict[str, str | bytes] = {".forceignore": "packages/\n", "packages/app/a.txt": ""}
    assert list(read_project(write(tmp_path, files, project=data)).files("packages/app")) == []


RULES = st.sampled_from(
    [*DEFAULTS, "**", "*.cls", "a*", "/x", "x/", "!b.dup", "**/x", "objects/**", "**/**", "[ab].*", "?", "x/y", "!x"]
)
PATHS = st.lists(
    st.sampled_from(["lwc", "a.cls", "b.dup", ".x", "__tests__", "jsconfig.json", "package.xml", "objects", "x", "y"]),
    min_size=1,
    max_size=5,
).map("/".join)


@given(st.lists(RULES, max_size=8), PATHS, st.booleans())
def test_what_is_asked_first_changes_nothing_of_what_the_rules_say(
    lines: list[str], path: str, is_directory: bool
) -> None:
    ignore = parse_ignore(lines)
    fitting = [
        rule.denies
        for rule in ignore.rules
        if (is_directory or not rule.only_directories) and rule.pattern.fullmatch(path)
    ]
    assert ignore.denies(path, is_directory=is_directory) is (bool(fitting) and fitting[-1])


PATTERN_PARTS = st.sampled_from(
    ["**", "*", "a", "Lwc", "[a/b]", "[!x]", "a?", "\\*", ".*", "*.k", "ſ", "\\a", "K", "x y "]
)
NAME_PARTS = st.sampled_from(["a", "lwc", "b", "*", ".x", "q.k", "s", "ab", "é", "k", "\u212a", "x y"])


@given(
    st.lists(st.lists(PATTERN_PARTS, min_size=1, max_size=4).map("/".join), max_size=3),
    st.sampled_from(["", "/"]),
    st.lists(NAME_PARTS, max_size=3),
    st.lists(NAME_PARTS, min_size=1, max_size=3, unique=True),
)
def test_what_is_denied_in_a_folder_is_looked_at_name_by_name(
    patterns: list[str], end: str, above: list[str], names: list[str]
) -> None:
    ignore = parse_ignore([*DEFAULTS, *(pattern + end for pattern in patterns)])
    folder = "".join(f"{part}/" for part in above)
    if any(ignore.denies(folder + name, is_directory=True) for name in names):
        assert ignore.may_deny(folder, names)


def test_a_folder_of_metadata_is_not_looked_at_name_by_name() -> None:
    assert not parse_ignore(DEFAULTS).may_deny("app/classes/", ["A.cls", "A.cls-meta.xml"])
