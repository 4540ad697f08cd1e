"""`ui-bundle.json`, which says where a UIBundle's pages are: checked before a deploy as Salesforce's tool does.

What it may say is in `ui_bundle.schema.json`, with its source and date.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

DESCRIPTOR = "ui-bundle.json"
SCHEMA = Path(__file__).with_name("ui_bundle.schema.json")
_MOST_BYTES = 102_400


def wrong_in(data: bytes, files: Collection[str]) -> list[str]:
    """Return what is wrong in a descriptor, given all `files` of its bundle (paths below the bundle's folder)."""
    from jsonschema import Draft202012Validator  # takes longer to load than most projects to convert

    if len(data) > _MOST_BYTES:
        return [f"{len(data)} bytes are more than {_MOST_BYTES}"]
    try:
        content: Any = json.loads(data.decode("utf-8"))
    except ValueError as error:
        return [f"not JSON: {error}"]
    found = [f"{each.json_path}: {each.message}" for each in Draft202012Validator(_schema()).iter_errors(content)]
    return found or [*_missing(content, files), *_doubled(content)]


def _missing(content: Mapping[str, Any], files: Collection[str]) -> Iterator[str]:
    """Yield the paths that lead to no file of the bundle."""
    output = content.get("outputDir", "").lstrip("/").rstrip("/")
    base = f"{output}/" if output else ""
    if output and not any(file.startswith(base) for file in files):
        yield f"outputDir: {output} holds no file"
        return
    routing = content.get("routing", {})
    paths = [("routing.fallback", routing.get("fallback"))]
    paths += [("routing.rewrites", each.get("rewrite")) for each in routing.get("rewrites", ())]
    for where, path in paths:
        if path is not None and base + path.lstrip("/") not in files:
            yield f"{where}: there is no file {base}{path.lstrip('/')}"
    for each in content.get("mcpResources", ()):
        # Without an outputDir an org looks for the pages in "dist".
        path = f"{output or 'dist'}/{each['path'].strip()}"
        if path not in files:
            yield f"mcpResources: there is no file {path}"


def _doubled(content: Mapping[str, Any]) -> Iterator[str]:
    names = [each["name"].strip() for each in content.get("mcpResources", ())]
    yield from (f"mcpResources: {name} comes twice" for name in sorted({n for n in names if names.count(n) > 1}))


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return schema
