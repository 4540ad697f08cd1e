"""`.forceignore`: which files are no metadata, by the rules of gitignore."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    denies: bool
    only_directories: bool
    of_name: bool = False  # it looks at a file's or folder's own name alone


@dataclass(frozen=True, slots=True)
class Ignore:
    """The rules of one project. Paths are relative to the folder of `.forceignore`, with slashes."""

    rules: tuple[_Rule, ...]
    any_name: re.Pattern[str]
    any_path: re.Pattern[str]

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
    return Ignore(rules, _any(rule for rule in rules if rule.of_name), _any(rule for rule in rules if not rule.of_name))


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
        expression = f"(?:.*/)?{expression}"
    of_name = "/" not in text.removeprefix("**/")
    return _Rule(re.compile(expression, re.IGNORECASE | re.DOTALL), denies, only_directories, of_name)


def glob_expression(pattern: str) -> str:
    """Return the glob as a regular expression: `**/` any folders, `/**` everything below, `*` within a name."""
    out, position = "", 0
    while position < len(pattern):
        rest = pattern[position:]
        at_start = position == 0 or pattern[position - 1] == "/"
        if at_start and rest.startswith("**/"):
            out, position = out + "(?:.*/)?", position + 3
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
