"""The page docs/emulated-org.md, made of what the tests of the emulated orgs cite: `python -m tests.emulated_org`."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "emulated-org.md"
TESTS = ROOT / "tests" / "emulators" / "salesforce"
REFUSALS = ROOT / "emulators" / "salesforce" / "refusals.json"

DOCUMENTS = Path(__file__).with_suffix(".yml")

_Test = TypeVar("_Test", bound=Callable[..., None])


@dataclass(frozen=True)
class Document:
    """A page that tests cite: title and section, the API version of the edition that was read, and the day."""

    title: str
    version: str
    read: str


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = yaml.safe_load(DOCUMENTS.read_text(encoding="utf-8"))
    return table


def engine() -> Mapping[str, list[str]]:
    """Return what the release engine relies on: the names of tests by topic."""
    return dict(_table()["engine"])


@cache
def documents() -> Mapping[str, Document]:
    """Return the documents of `emulated_org.yml` by the name that tests cite them by."""
    rows = _table()["documents"]
    return {name: Document(**{key: str(value) for key, value in row.items()}) for name, row in rows.items()}


def cites(*names: str) -> Callable[[_Test], _Test]:
    """Mark a test with the documents that its behaviour comes from, by their names in `emulated_org.yml`.

    What no page was opened for is marked with "knowledge".
    """
    assert names
    assert not set(names) - set(documents())

    def unchanged(test: _Test) -> _Test:
        return test

    return unchanged


@dataclass(frozen=True)
class Citation:
    """A behaviour, the test that holds the emulator to it, and the names of the documents that say so."""

    behaviour: str
    test: str
    file: str
    documents: tuple[str, ...]


@cache
def citations(tests: Path = TESTS) -> tuple[Citation, ...]:
    """Return what the test modules under a directory cite, by module and in the order of their lines."""
    return tuple(each for path in sorted(tests.rglob("test_*.py")) for each in _of_module(path))


def page(cited: Iterable[Citation]) -> str:
    """Return the page's text."""
    lines = [_HEAD, "| the release engine relies on | tested by |", "|---|---|"]
    lines += [f"| {topic} | {', '.join(f'`{test}`' for test in tests)} |" for topic, tests in engine().items()]
    lines += ["", "## Emulated", ""]
    by_file: dict[str, list[Citation]] = {}
    for each in cited:
        by_file.setdefault(each.file, []).append(each)
    for file, rows in by_file.items():
        lines += [f"### {_title(file)}", "", f"`{file}`", "", "| behaviour | tested by | cites |", "|---|---|---|"]
        lines += [f"| {row.behaviour} | `{row.test}` | {', '.join(row.documents)} |" for row in rows]
        lines.append("")
    table = json.loads(REFUSALS.read_text(encoding="utf-8"))
    lines += [_REFUSED.format(as_of=table["as_of"]), "| asked for | kind | why |", "|---|---|---|"]
    lines += [f"| `{row['name']}` | {_KINDS[row['kind']]} | {row['why']} |" for row in table["refused"]]
    lines += ["", "## Simplified, and therefore not refused", ""]
    lines += [f"- {text}" for text in table["simplified"]]
    lines += ["", "## Documents cited", "", "| cited as | document | API version | read on |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {document.title} | {document.version} | {document.read} |"
        for name, document in sorted(documents().items())
    ]
    return "\n".join(lines) + "\n"


_HEAD = """\
# The emulated orgs

What the emulated orgs do as Salesforce documents it, which test holds them to it, and the page that it comes from. \
Made by `python -m tests.emulated_org` of the tests' own citations; a test holds it current. The documents are listed \
at the end; a rule that no page was opened for is cited as knowledge of the API.

## What the release engine relies on

Each line has a test that cites a page, or an org's own answer.
"""
_REFUSED = """\
## Deliberately not emulated

Asked for, these are refused with an error that names them; `tests/emulators/salesforce/test_refusals.py` asks for \
each. As of {as_of}.
"""


_KINDS = {
    "operation": "operation of the Metadata API",
    "parameter": "parameter of retrieve()",
    "header": "header of the Metadata API",
    "path": "resource",
    "bulk": "jobs of Bulk API 2.0",
    "streaming": "Streaming API; answered as a handshake that is denied",
    "tooling": "resource of the Tooling API; answered as code that does not compile",
}


def _of_module(path: Path) -> Iterator[Citation]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "cites":
                named = tuple(str(ast.literal_eval(each)) for each in mark.args)
                said = (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
                behaviour = said or _sentence(node.name.removeprefix("test_").replace("_", " "))
                yield Citation(behaviour.replace("|", "\\|"), node.name, str(path.relative_to(ROOT)), named)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _title(file: str) -> str:
    return _sentence(Path(file).stem.removeprefix("test_").removeprefix("metadata_").replace("_", " ")).rstrip(".")


if __name__ == "__main__":
    PAGE.write_text(page(citations()), encoding="utf-8")
    sys.stderr.write(f"{PAGE}: {len(citations())} behaviours\n")
