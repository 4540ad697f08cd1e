"""Writes `taggable.json`, read off the installed SDK's classes: `python -m infra.policy.sdk`."""

from __future__ import annotations

import ast
import datetime
import functools
import importlib.metadata
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

FILE = Path(__file__).with_name("taggable.json")
SDK = "pulumi_alicloud"


def taggable_types() -> list[str]:
    """Return every type token of the SDK whose arguments take `tags`, sorted."""
    return sorted(token for token, takes_tags in _classes().items() if takes_tags)


def tokens() -> frozenset[str]:
    """Return every type token of the SDK."""
    return frozenset(_classes())


@functools.cache
def _classes() -> dict[str, bool]:
    """Return each resource class's token, and whether it takes tags."""
    return {token: any(map(_takes_tags, cls.body)) for token, cls in _parsed()}


def _parsed() -> Iterator[tuple[str, ast.ClassDef]]:
    """Yield each resource class with its token, as far as its constructor. Parsed: to import all would take minutes.

    Before the class stand those of its arguments, after its constructor comes all of that once more: a fifth of the
    text is enough.
    """
    spec = importlib.util.find_spec(SDK)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no module {SDK}: install the project's dependencies")
    for file in Path(spec.origin).parent.glob("*/*.py"):
        _, mark, rest = file.read_text(encoding="utf-8").partition("\n@pulumi.type_token(")
        if mark:
            own, _, _ = rest.partition("\n    @staticmethod\n    def get(")
            for item in ast.parse(mark + own).body:
                if isinstance(item, ast.ClassDef) and (token := _token(item)):
                    yield token, item


def _token(cls: ast.ClassDef) -> str:
    """Return what stands in `@pulumi.type_token("...")`, or nothing."""
    for item in cls.decorator_list:
        if isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute) and item.func.attr == "type_token":
            return str(ast.literal_eval(item.args[0]))
    return ""


def _takes_tags(item: ast.stmt) -> bool:
    if not isinstance(item, ast.FunctionDef) or item.name != "_internal_init":
        return False
    return any(argument.arg == "tags" for argument in (*item.args.args, *item.args.kwonlyargs))


def main() -> None:
    """Write the table anew."""
    table = {
        "source": f"pulumi-alicloud {importlib.metadata.version('pulumi-alicloud')}, arguments of its resource classes",
        "as_of": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "types": taggable_types(),
    }
    FILE.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
