"""`replacements` of sfdx-project.json: text that is put in while the source is converted, as `sf project deploy` does.

After "Replace Strings in Code Before Deploying or Packaging" of the Salesforce DX Developer Guide and
@salesforce/source-deploy-retrieve 13.7.0 (November 2026), whose reading decides where the guide is silent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.source.ignore import glob_expression
from kit.problems import Place, Problem, relative

RULE = "Salesforce DX Developer Guide, Replace Strings in Code Before Deploying or Packaging"
_TEXT = frozenset({".cls", ".xml", ".json", ".js", ".css", ".html", ".htm", ".txt", ".md"})
_LOOKED_AT = 512  # bytes of a file of another extension, to tell text from binary content
_KNOWN = frozenset(
    {
        "filename",
        "glob",
        "stringToReplace",
        "regexToReplace",
        "replaceWithEnv",
        "replaceWithFile",
        "allowUnsetEnvVariable",
        "replaceWhenEnv",
    }
)
_REFERENCE = re.compile(r"\$(?:(?P<sign>[$&`'])|(?P<number>\d{1,2})|<(?P<name>[^>]*)>)")


class ReplacementError(Exception):
    """What a replacement puts in can't be had; the message says why."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """One entry: where `files` fits a file's path, what `pattern` finds becomes the value of `environment` or the
    text of `file`."""

    files: re.Pattern[str]
    pattern: re.Pattern[str]
    environment: str
    may_be_unset: bool
    file: Path | None

    def value(self) -> str:
        """Return what is put in. Raises `ReplacementError` for an unset variable, an absent or empty file."""
        if self.file is None:
            found = os.environ.get(self.environment)
            if found is None and not self.may_be_unset:
                raise ReplacementError(f"the environment variable {self.environment} of replaceWithEnv is not set")
            return found or ""
        try:
            text = self.file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ReplacementError(f"the file {self.file} of replaceWithFile can't be read: {error}") from error
        if not text:
            raise ReplacementError(f"the file {self.file} of replaceWithFile is empty")
        return text


def replaced(data: bytes, path: str, replacements: tuple[Replacement, ...]) -> bytes:
    """Return a file's content with what is to be replaced in it; `path` is where it was read, with slashes.

    Binary content stays as it is. Raises `ReplacementError`.
    """
    here = [each for each in replacements if each.files.fullmatch(path)]
    values = [each.value() for each in here]  # what can't be had is an error in binary files too
    text = _text(data, path) if here else None
    if text is None:
        return data
    for each, value in zip(here, values, strict=True):
        text = each.pattern.sub(_Filled(value, text), text)
    return text.encode()


def read_replacements(data: Any, file: Path) -> tuple[tuple[Replacement, ...], list[Problem]]:
    """Return the entries of `replacements` in the project file whose replaceWhenEnv holds here, and every problem."""
    found, problems = [], []
    for position, entry in enumerate(data if isinstance(data, list) else [data]):
        wrong = list(_wrong(entry))
        if not wrong and _holds(entry.get("replaceWhenEnv", ())):
            try:
                found.append(_replacement(entry, file.parent))
            except ValueError as error:
                wrong = [str(error)]
        where = f"replacements[{position}]"
        problems += [Problem(f"{where}: {what}", RULE, "mend the entry", Place(relative(file))) for what in wrong]
    return tuple(found), problems


def _wrong(entry: Any) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield "no object"
        return
    for pair in (("filename", "glob"), ("stringToReplace", "regexToReplace"), ("replaceWithEnv", "replaceWithFile")):
        given = [key for key in pair if isinstance(entry.get(key), str) and entry[key]]
        if len(given) != 1:
            yield f"one of {pair[0]} and {pair[1]} is needed, as text"
    if unknown := sorted(entry.keys() - _KNOWN):
        yield f"unknown: {', '.join(unknown)}"
    conditions = entry.get("replaceWhenEnv", [])
    well = isinstance(conditions, list) and all(
        isinstance(each, dict) and isinstance(each.get("env"), str) and isinstance(each.get("value"), str | int)
        for each in conditions
    )
    if not well:
        yield "replaceWhenEnv lists objects with env and value"


def _holds(conditions: list[Mapping[str, Any]]) -> bool:
    return all(os.environ.get(each["env"]) == _as_text(each["value"]) for each in conditions)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _replacement(entry: Mapping[str, Any], root: Path) -> Replacement:
    name, glob = entry.get("filename"), entry.get("glob")
    files = re.compile(f".*{re.escape(name)}" if name else _glob(glob or ""), re.DOTALL)
    text, expression = entry.get("stringToReplace"), entry.get("regexToReplace")
    pattern = re.compile(re.escape(text) if text else _as_python(expression or ""))
    file = entry.get("replaceWithFile")
    return Replacement(
        files,
        pattern,
        entry.get("replaceWithEnv", ""),
        bool(entry.get("allowUnsetEnvVariable")),
        root / file if file else None,
    )


def _glob(glob: str) -> str:
    """Return a glob below any folder as a regular expression. Raises `ValueError` for what it doesn't know."""
    if re.search(r"[!?*+@]\(", glob):
        raise ValueError(f"the glob {glob} has an extended pattern, which the kit doesn't read")
    alternatives = [glob]
    while any("{" in each for each in alternatives):
        alternatives = [one for each in alternatives for one in _without_first_brace(each)]
    return "|".join(f"(?:{glob_expression(f'**/{each}')})" for each in alternatives)


def _without_first_brace(glob: str) -> list[str]:
    match = re.search(r"\{([^{}]*)\}", glob)
    if not match:
        return [glob] if "{" not in glob else [glob.replace("{", "[{]")]
    return [glob[: match.start()] + choice + glob[match.end() :] for choice in match[1].split(",")]


def _as_python(expression: str) -> str:
    """Return a regular expression of JavaScript as one of Python. Raises `ValueError` where that can't be."""
    out, position, in_class = "", 0, False
    while position < len(expression):
        rest = expression[position:]
        if rest[0] == "\\":
            step = 2
            if named := re.match(r"\\k<(\w+)>", rest):
                out, step = f"{out}(?P={named[1]})", named.end()
            elif rest[1:2] in ("c", "p", "P", "u") and not re.match(r"\\u[0-9a-fA-F]{4}", rest):
                raise ValueError(f"regexToReplace: the kit doesn't read {rest[:2]}")
            else:
                out += "/" if rest[:2] == "\\/" else rest[:2]
            position += step
            continue
        if not in_class and rest.startswith("(?<") and rest[3:4] not in ("=", "!"):
            out, position = f"{out}(?P<", position + 3
            continue
        if not in_class and rest[0] == "$":
            out += r"\Z"  # Python's $ also fits before a line end that is the last character
        else:
            out += "\\[" if in_class and rest[0] == "[" else rest[0]
        in_class = (in_class or rest[0] == "[") and rest[0] != "]"
        position += 1
    try:
        re.compile(out)
    except re.error as error:
        raise ValueError(f"regexToReplace: {error}") from error
    return out


@dataclass(frozen=True, slots=True)
class _Filled:
    """What is put in for a match: in JavaScript, $& and the like stand for parts of it in any replacing text."""

    value: str
    text: str

    def __call__(self, match: re.Match[str]) -> str:
        def part(reference: re.Match[str]) -> str:
            if reference["sign"]:
                before, after = self.text[: match.start()], self.text[match.end() :]
                return {"$": "$", "&": match[0], "`": before, "'": after}[reference["sign"]]
            if reference["number"]:
                number = int(reference["number"])
                return (match[number] or "") if 0 < number <= match.re.groups else reference[0]
            names = match.re.groupindex
            return (match[reference["name"]] or "") if reference["name"] in names else "" if names else reference[0]

        return _REFERENCE.sub(part, self.value)


def _text(data: bytes, path: str) -> str | None:
    """Return a file's text, None for binary content."""
    if os.path.splitext(path)[1] not in _TEXT and b"\0" in data[:_LOOKED_AT]:  # noqa: PTH122 — no Path for each file
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None
