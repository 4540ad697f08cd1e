"""YAML 1.2 ⇄ JSON, as API descriptions are written: the same value, keys in the order in which JavaScript has them.

YAML 1.1, which PyYAML reads by itself, takes "on", "12:30" and dates for other things than the text they are.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import yaml

_STR, _MAP = "tag:yaml.org,2002:str", "tag:yaml.org,2002:map"
# The core schema of YAML 1.2.2, section 10.3.2, in the order in which it is to be tried.
_CORE = (
    ("null", r"null|Null|NULL|~|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
)
_MOST_INDEX = 2**32 - 1  # ECMA-262, "array index"
_WHOLE_UP_TO = 1e21  # JavaScript writes a whole number below this without a fraction


class NotThatTextError(ValueError):
    """A text that is not what it should be; `line` counts from 1, 0 where it isn't known."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class _Loader(yaml.SafeLoader):
    """YAML 1.2: plain text is what the core schema says, and a key comes once."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 — PyYAML's own way to say it


class _Dumper(yaml.SafeDumper):
    """Quotes whatever a reader of YAML 1.1 or of 1.2 would take for something else than text."""

    def ignore_aliases(self, _: Any) -> bool:
        return True


def yaml_of_json(text: str) -> str:
    """Return the JSON value as YAML. Raises `ValueError` when it is no JSON."""
    value = _json_value(json.loads(text, parse_constant=_no_constant))
    written: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=80)
    return written.removesuffix("...\n")


def json_of_yaml(text: str) -> str:
    """Return the YAML value as JSON, two spaces a level. Raises `NotThatTextError` with the line."""
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 — a SafeLoader with other rules for plain text
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise NotThatTextError(error.problem or "no YAML", line) from error
    except yaml.YAMLError as error:
        raise NotThatTextError(str(error)) from error
    return json.dumps(_json_value(value), ensure_ascii=False, indent=2)


def _json_value(value: Any) -> Any:
    """Return a YAML value as JavaScript's JSON.stringify sees it: keys as text, no number that JSON hasn't."""
    if isinstance(value, dict):
        entries = {_key(key): _json_value(each) for key, each in value.items()}
        return dict(sorted(entries.items(), key=_place))
    if isinstance(value, list):
        return [_json_value(each) for each in value]
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return None
        return int(value) if value.is_integer() and abs(value) < _WHOLE_UP_TO else value
    return value


def _place(entry: tuple[str, Any]) -> tuple[bool, int]:
    """Return where JavaScript has a key among the others: whole numbers first, by size ("200" before "default")."""
    key = entry[0]
    index = int(key) if key.isascii() and key.isdigit() and str(int(key)) == key else _MOST_INDEX
    return (index >= _MOST_INDEX, index if index < _MOST_INDEX else 0)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    return "" if key is None else json.dumps(_json_value(key))


def _no_constant(name: str) -> NoReturn:
    raise NotThatTextError(f"{name} is no JSON")


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key: Any = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str | int | float | bool | None) or key in found:
            what = f"the key {key} comes twice" if isinstance(key, str | int | float) else "a key that is no text"
            raise yaml.constructor.ConstructorError(None, None, what, key_node.start_mark)
        found[key] = loader.construct_object(value_node, deep=True)
    return found


def _whole_number(_: _Loader, node: yaml.ScalarNode) -> int:
    text = node.value
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(_STR, text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
_Loader.add_constructor(_MAP, _mapping)
_Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)
for _name, _pattern, _first in _CORE:
    _tag, _regex = f"tag:yaml.org,2002:{_name}", re.compile(f"(?:{_pattern})\\Z")
    _starts = ["" if start == "\0" else start for start in _first]
    _Loader.add_implicit_resolver(_tag, _regex, _starts)
    _Dumper.add_implicit_resolver(_tag, _regex, _starts)
