"""The page docs/emulated-org.md, made of what the tests of the emulated orgs cite: `python -m tests.emulated_org`."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "emulated-org.md"
TESTS = ROOT / "tests" / "emulators" / "salesforce"
REFUSALS = ROOT / "emulators" / "salesforce" / "refusals.json"

KNOWLEDGE = "knowledge of the API"
"""What a rule is cited from when no page was opened for it."""

_Test = TypeVar("_Test", bound=Callable[..., None])


def cites(document: str, as_of: str) -> Callable[[_Test], _Test]:
    """Mark a test with the document that its behaviour comes from: title, version and 'section'; and when it was read.

    A part of it that no page was opened for is named after `KNOWLEDGE`. `as_of` is a year and a month: `2026-11`.
    """
    assert document, as_of

    def unchanged(test: _Test) -> _Test:
        return test

    return unchanged


@dataclass(frozen=True)
class Citation:
    """A behaviour, the test that holds the emulator to it, and where it is documented."""

    behaviour: str
    test: str
    file: str
    document: str
    as_of: str


def citations(tests: Path = TESTS) -> list[Citation]:
    """Return what the test modules under a directory cite, by module and in the order of their lines."""
    return [each for path in sorted(tests.rglob("test_*.py")) for each in _of_module(path)]


def page(cited: Iterable[Citation]) -> str:
    """Return the page's text."""
    lines = [_HEAD]
    by_file: dict[str, list[Citation]] = {}
    for each in cited:
        by_file.setdefault(each.file, []).append(each)
    for file, rows in by_file.items():
        lines += [f"### {_title(file)}", "", f"`{file}`", "", "| behaviour | document cited | read |", "|---|---|---|"]
        lines += [f"| {row.behaviour} (`{row.test}`) | {row.document} | {row.as_of} |" for row in rows]
        lines.append("")
    table = json.loads(REFUSALS.read_text(encoding="utf-8"))
    lines += [_REFUSED.format(as_of=table["as_of"]), "| asked for | how it is answered | why |", "|---|---|---|"]
    lines += [f"| {row['what']} | {row['answer']} | {row['why']} |" for row in table["refused"]]
    lines += ["", "## Simplified, and therefore not refused", ""]
    lines += [f"- {text}" for text in table["simplified"]]
    return "\n".join(lines) + "\n"


_HEAD = """\
# The emulated orgs

What the emulated orgs do as Salesforce documents it, which test holds them to it, and the page that it comes from. \
Made by `python -m tests.emulated_org` of the tests' own citations; a test holds it current. A rule that no page was \
opened for is cited as knowledge of the API.

## Emulated
"""
_REFUSED = """\
## Deliberately not emulated

Asked for, these are refused with an error that names them; `tests/emulators/salesforce/test_refusals.py` asks for \
each. As of {as_of}.
"""


def _of_module(path: Path) -> Iterator[Citation]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "cites":
                document, as_of = (str(ast.literal_eval(each)) for each in mark.args)
                said = (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
                behaviour = said or node.name.removeprefix("test_").replace("_", " ")
                yield Citation(behaviour, node.name, str(path.relative_to(ROOT)), document, as_of)


def _title(file: str) -> str:
    words = Path(file).stem.removeprefix("test_").removeprefix("metadata_").replace("_", " ")
    return words[:1].upper() + words[1:]


if __name__ == "__main__":
    PAGE.write_text(page(citations()), encoding="utf-8")
    sys.stderr.write(f"{PAGE}: {len(citations())} behaviours\n")
