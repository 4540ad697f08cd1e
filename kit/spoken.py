"""Pydantic's errors in words for whoever wrote the file: the rule that was broken, and what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, SecretStr

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

ABSENT = "it has no default"
STRANGE = "only keys that are known, so that a slip of the pen is seen"

_KINDS = {
    "int": ("a whole number", "write a whole number, without quotes"),
    "float": ("a number", "write a number, without quotes"),
    "bool": ("true or false", "write true or false"),
    "string": ("text", "write text; in quotes where it looks like a number, a day or yes and no"),
    "date": ("a day", "write it as 2026-12-31"),
    "datetime": ("a time", "write it as 2026-12-31T23:59:00+08:00"),
    "dict": ("keys with their values", "write `key: value` below it; to do without it, remove the line"),
    "list": ("a list", "write [one, two], or a line with `- ` for each"),
}
_SAME_KIND = {"model": "dict", "dataclass": "dict", "mapping": "dict", "tuple": "list", "set": "list", "frozen": "list"}
_BOUNDS = {
    "ge": "no less than",
    "gt": "more than",
    "le": "no more than",
    "lt": "less than",
    "multiple_of": "a multiple of",
}
_LENGTHS = {"min_length": "at least", "max_length": "at most"}


def spoken(item: ErrorDetails, dotted: str, names: Iterable[str]) -> tuple[str, str, str]:
    """Return what is wrong, the rule and the fix for one of pydantic's errors.

    `dotted` is what it is about, and `names` are the keys that the document may have. A validator of ours has set rule
    and fix (`ctx`); what is missing there, and everything of pydantic's own, is put in words here.
    """
    context: Mapping[str, Any] = item.get("ctx", {})
    what, rule, fix = _words(item, dotted, context, names)
    return what, str(context.get("rule", rule)), str(context.get("fix", fix))


def names_of(model: type[BaseModel]) -> set[str]:
    """Return every key that documents of a model may have, at any depth."""
    return {field.alias or name for one in _models(model, set()) for name, field in one.model_fields.items()}


def secrets_of(model: type[BaseModel]) -> set[str]:
    """Return the keys behind which documents of a model have secrets, at any depth."""
    return {
        field.alias or name
        for one in _models(model, set())
        for name, field in one.model_fields.items()
        if _is_secret(field.annotation)
    }


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean …?" for the known name nearest to `name`, or nothing when none is near."""
    near = difflib.get_close_matches(name, list(known), 1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""


def _words(item: ErrorDetails, dotted: str, context: Mapping[str, Any], names: Iterable[str]) -> tuple[str, str, str]:
    kind, said = item["type"], item["msg"]
    last = dotted.rpartition(".")[2]
    if kind == "missing":
        return "missing", ABSENT, f"add {dotted}"
    if kind == "extra_forbidden":
        return "not known here", STRANGE, f"remove or rename it{nearest(last, names)}"
    if kind in ("literal_error", "enum", "union_tag_invalid"):
        expected = str(context.get("expected") or context["expected_tags"])
        given = context.get("tag", item["input"])
        known = re.findall(r"'([^']*)'", expected)
        return said, f"one of {expected}", f"use one of them{nearest(str(given), known)}"
    if kind == "string_pattern_mismatch":
        return said, f"text that fits {context['pattern']}", "write it in that form"
    for bounds, unit in ((_BOUNDS, ""), (_LENGTHS, " long")):
        for name in bounds.keys() & context.keys():
            rule = f"{bounds[name]} {context[name]}{unit}"
            return said, rule, f"make it {rule}"
    family = kind.partition("_")[0]
    if kind.endswith(("_type", "_parsing", "_from_float", "_inexact")) and _SAME_KIND.get(family, family) in _KINDS:
        return said, *_KINDS[_SAME_KIND.get(family, family)]
    return said, kind.replace("_", " "), f"correct {dotted}"


def _is_secret(kind: Any) -> bool:
    return kind is SecretStr or any(map(_is_secret, get_args(kind)))


def _models(kind: Any, seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if kind not in seen:
            seen.add(kind)
            yield kind
            for field in kind.model_fields.values():
                yield from _models(field.annotation, seen)
        return
    for inside in get_args(kind):
        yield from _models(inside, seen)
