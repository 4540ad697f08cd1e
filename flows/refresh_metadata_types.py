"""Write `metadata_types.json`, `metadata_presets.json` and `content_types.json` from the npm package
`@salesforce/source-deploy-retrieve`.

    npm install --ignore-scripts @salesforce/source-deploy-retrieve
    python -m flows.refresh_metadata_types node_modules --api-version 67.0

The names, suffixes, directories, children and strategies of the metadata types are facts; the table keeps them,
with the package's name and version as their source and the day as their date. Which file extension a content type
has, it leaves to the package `mime`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from flows.presets import PRESETS
from flows.registry import facts_of

TABLE = Path(__file__).with_name("metadata_types.json")
CONTENT_TYPES = Path(__file__).with_name("content_types.json")

# What Salesforce's converter adds to the content types of the package `mime`.
_MORE_TYPES = {
    "text/javascript": "js",
    "application/x-javascript": "js",
    "application/x-zip-compressed": "zip",
    "text/x-haml": "haml",
    "image/x-png": "png",
    "text/xml": "xml",
}


def table_of(registry: dict[str, Any], source: str, as_of: str, api_version: str) -> dict[str, Any]:
    """Return the table: `source`, `as_of`, `api_version`, `types` (each a mapping) and `suffixes`
    (suffix → the name of the type that Salesforce means by it)."""
    names = {key: entry["name"] for key, entry in registry["types"].items()}
    types = [facts_of(entry, names) for entry in registry["types"].values()]
    return {
        "source": source,
        "as_of": as_of,
        "api_version": api_version,
        "types": sorted(types, key=lambda facts: str(facts["name"])),
        "suffixes": {suffix: names[key] for suffix, key in sorted(registry["suffixes"].items()) if key in names},
    }


def rendered(table: dict[str, Any]) -> str:
    """Return the table as JSON text with one type a line, so that a refresh reads well as a difference."""
    lines = [f"  {json.dumps(key)}: {json.dumps(table[key])},\n" for key in ("source", "as_of", "api_version")]
    types = ",\n".join(f"    {json.dumps(facts, sort_keys=True)}" for facts in table["types"])
    suffixes = ",\n".join(f"    {json.dumps(suffix)}: {json.dumps(name)}" for suffix, name in table["suffixes"].items())
    return "{\n" + "".join(lines) + f'  "types": [\n{types}\n  ],\n' + f'  "suffixes": {{\n{suffixes}\n  }}\n}}\n'


def presets_of(presets: dict[str, dict[str, Any]], registry: dict[str, Any], source: str, as_of: str) -> dict[str, Any]:
    """Return the table of presets: `source`, `as_of`, `presets` (name → the types that it lays out otherwise)."""
    names = {key: entry["name"] for key, entry in registry["types"].items()}
    types = {
        name: [facts_of(entry, names) for _, entry in sorted(preset["types"].items())]
        for name, preset in sorted(presets.items())
    }
    return {"source": source, "as_of": as_of, "presets": types}


def content_types_of(definitions: list[dict[str, list[str]]], source: str, as_of: str) -> dict[str, Any]:
    """Return the table of file extensions: `source`, `as_of`, `extensions` (content type → extension, no dot)."""
    extensions = dict(_MORE_TYPES)
    for types in reversed(definitions):
        # An asterisk marks an extension that another type has first; written back, this type still has it.
        extensions |= {name: found[0].removeprefix("*") for name, found in types.items()}
    return {"source": source, "as_of": as_of, "extensions": dict(sorted(extensions.items()))}


@click.command()
@click.argument("modules", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--api-version", required=True, help="API version of the Salesforce release of the day: 67.0.")
@click.option("--as-of", default=lambda: datetime.now(tz=UTC).date().isoformat(), help="Date of the facts.")
def refresh(modules: Path, api_version: str, as_of: str) -> None:
    """Write the tables from the packages in MODULES, a folder node_modules."""
    package = modules / "@salesforce/source-deploy-retrieve"
    registry = json.loads((package / "lib/src/registry/metadataRegistry.json").read_text(encoding="utf-8"))
    table = table_of(registry, _named(package), as_of, api_version)
    TABLE.write_text(rendered(table), encoding="utf-8")
    found = sorted((package / "lib/src/registry/presets").glob("*.json"))
    presets = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in found}
    laid_out = presets_of(presets, registry, _named(package), as_of)
    PRESETS.write_text(json.dumps(laid_out, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    definitions = [_definition(modules / f"mime/types/{name}.js") for name in ("standard", "other")]
    extensions = content_types_of(definitions, f"{_named(package)} and {_named(modules / 'mime')}", as_of)
    CONTENT_TYPES.write_text(json.dumps(extensions, indent=1) + "\n", encoding="utf-8")
    click.echo(f"{len(table['types'])} types and {len(presets)} presets from {table['source']}", err=True)


def _named(package: Path) -> str:
    about = json.loads((package / "package.json").read_text(encoding="utf-8"))
    return f"{about['name']} {about['version']}"


def _definition(file: Path) -> dict[str, list[str]]:
    """Return the JSON value that a module of `mime` exports: content type → extensions."""
    text = file.read_text(encoding="utf-8")
    found: dict[str, list[str]] = json.loads(text[text.index("{") : text.rindex("}") + 1])
    return found


if __name__ == "__main__":
    refresh()
