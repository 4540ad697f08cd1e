"""`.forceignore`: which files are no metadata, by the rules of gitignore."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

# What Salesforce's tool ignores by itself, and what the .forceignore of a generated project holds.
DEFAULTS = (
    "**/*.dup",
    "**/.*",
    "**/package2-descriptor.json",
    "**/package2-manifest.json",
    "package.xml",
    "**/lwc/**/__tests__/**",
    "**/lwc/jsconfig.json",
    "**/lwc/tsconfig.json",
    "**/aura/jsconfig.json",
)

_ANY_FOLDERS = "(?:.*/)?"


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    denies: bool
    only_directories: bool
    of_name: bool = False  # it looks at a file's or folder's own name alone
    word: str = ""  # stands in all that it fits, in lower case


class Ignore(NamedTuple):
    """The rules of one project. Paths are relative to the folder of `.forceignore`, with slashes."""

    rules: tuple[_Rule, ...]
    any_name: re.Pattern[str]
    any_path: re.Pattern[str]
    any_beside: re.Pattern[str]
    words: frozenset[str]

    def may_deny(self, folder: str, names: Iterable[str]) -> bool:
        """Return False when no rule denies one of these names in a folder, whose path ends in a slash or is empty.

        Asked once a folder, for what `denies` would have to look at name by name.
        """
        beside = f"/{'/'.join(names)}/"
        if self.any_beside.search(beside):
            return True
        text = (folder + beside).lower()
        return not text.isascii() or any(word in text for word in self.words)

    def denies(self, path: str, *, is_directory: bool) -> bool:
        """Return whether the last rule that fits `path` denies it. Ask for the parents first, as gitignore does:
        what lies below a denied folder can't be allowed again."""
        # Most files: two patterns tell, where each rule's own would take a dozen.
        if not self.any_name.fullmatch(path, path.rfind("/") + 1) and not self.any_path.fullmatch(path):
            return False
        for rule in reversed(self.rules):
            if (is_directory or not rule.only_directories) and rule.pattern.fullmatch(path):
                return rule.denies
        return False


def read_ignore(directory: Path, root: Path) -> tuple[Ignore, Path]:
    """Return the rules for what lies below `directory`, and the folder that their paths start from.

    They are the defaults followed by those of the next `.forceignore` from `directory` upward, as Salesforce's tool
    looks for it; without one, the defaults alone, from `root`.
    """
    for folder in (directory, *directory.parents):
        file = folder / ".forceignore"
        if file.is_file():
            return parse_ignore([*DEFAULTS, *file.read_text(encoding="utf-8-sig").splitlines()]), folder
    return parse_ignore(DEFAULTS), root


def parse_ignore(lines: Iterable[str]) -> Ignore:
    """Return the rules in `lines` of gitignore syntax (git-scm.com/docs/gitignore, "Pattern format").

    Matching doesn't distinguish upper and lower case, as in Salesforce's tool.
    """
    rules = tuple(rule for rule in map(_rule, lines) if rule)
    of_names, of_paths = ([rule for rule in rules if rule.of_name is asked] for asked in (True, False))
    # A name holds no slash, so what fits it fits between two of them; what may stand before it is left out.
    beside = "|".join(f"(?:{rule.pattern.pattern.replace(_ANY_FOLDERS, '')})" for rule in of_names) or r"(?!)"
    any_beside = re.compile(f"/(?:{beside})(?=/)", re.IGNORECASE | re.DOTALL)
    return Ignore(rules, _any(of_names), _any(of_paths), any_beside, frozenset(rule.word for rule in of_paths))


def _any(rules: Iterable[_Rule]) -> re.Pattern[str]:
    whole = "|".join(f"(?:{rule.pattern.pattern})" for rule in rules) or r"(?!)"
    return re.compile(whole, re.IGNORECASE | re.DOTALL)


def _rule(line: str) -> _Rule | None:
    text = re.sub(r"(?<!\\)\s+$", "", line)
    if not text or text.startswith("#"):
        return None
    denies = not text.startswith("!")
    text = text.removeprefix("!")
    if text.startswith(("\\#", "\\!")):
        text = text[1:]
    only_directories = text.endswith("/")
    text = text.rstrip("/")
    if not text:
        return None
    anchored = "/" in text
    expression = glob_expression(text.removeprefix("/"))
    if not anchored:
        expression = f"{_ANY_FOLDERS}{expression}"
    of_name = "/" not in text.removeprefix("**/")
    plain = [part for part in text.split("/") if not set(part) & {"*", "?"}]
    word = plain[-1].lower() if plain and text.isascii() and not set(text) & {"[", "\\"} else ""
    return _Rule(re.compile(expression, re.IGNORECASE | re.DOTALL), denies, only_directories, of_name, word)


def glob_expression(pattern: str) -> str:
    """Return the glob as a regular expression: `**/` any folders, `/**` everything below, `*` within a name."""
    out, position = "", 0
    while position < len(pattern):
        rest = pattern[position:]
        at_start = position == 0 or pattern[position - 1] == "/"
        if at_start and rest.startswith("**/"):
            out, position = out + _ANY_FOLDERS, position + 3
        elif at_start and rest == "**":
            out, position = out + ".+", position + 2
        elif rest[0] == "*":
            stars = len(rest) - len(rest.lstrip("*"))
            out, position = out + "[^/]*", position + stars
        elif rest[0] == "?":
            out, position = out + "[^/]", position + 1
        elif rest[0] == "[" and (closing := rest.find("]", 2)) > 0:
            body = rest[1:closing].replace("\\", "\\\\")
            body = "^" + body[1:] if body.startswith("!") else body
            out, position = f"{out}(?!/)[{body}]", position + closing + 1
        elif rest[0] == "\\" and len(rest) > 1:
            out, position = out + re.escape(rest[1]), position + 2
        else:
            out, position = out + re.escape(rest[0]), position + 1
    return out
