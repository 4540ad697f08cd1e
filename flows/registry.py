"""Entries of Salesforce's registry, as its npm package and `sfdx-project.json` write them → entries of our table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The table's field for each field of Salesforce's registry. What is false or absent there is left out here.
FIELDS = {
    "name": "name",
    "directoryName": "directory",
    "suffix": "suffix",
    "legacySuffix": "legacy_suffix",
    "metaFileSuffix": "meta_file_suffix",
    "strictDirectoryName": "strict_directory",
    "inFolder": "in_folder",
    "folderType": "folder_type",
    "folderContentType": "folder_content_type",
    "aliasFor": "alias_for",
    "ignoreParsedFullName": "fixed_name",
    "supportsPartialDelete": "partial_delete",
    "supportsWildcardAndName": "wildcard_and_name",
    "uniqueIdElement": "id_element",
    "xmlElementName": "element",
    "ignoreParentName": "bare_name",
    "isAddressable": "addressable",
}
STRATEGY = ("adapter", "transformer", "decomposition", "recomposition")
REFERENCES = ("folder_type", "folder_content_type", "alias_for")


def facts_of(entry: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the table's entry for a type of the registry. `names` are those of the types by their id.

    Raises `KeyError` when it refers to a type that `names` doesn't have.
    """
    facts = _facts(entry)
    for field in REFERENCES:
        if field in facts:
            facts[field] = names[facts[field]]
    within = entry.get("children", {})
    if children := within.get("types", {}):
        elements = {found: element for element, found in within.get("directories", {}).items()}
        facts["children"] = sorted(
            (_child(child, elements.get(key, "")) for key, child in children.items()), key=lambda one: str(one["name"])
        )
    return facts


def _facts(entry: Mapping[str, Any]) -> dict[str, Any]:
    facts = {ours: entry[theirs] for theirs, ours in FIELDS.items() if entry.get(theirs)}
    if entry.get("isAddressable") is False:
        facts["addressable"] = False
    strategies = entry.get("strategies", {})
    return facts | {field: strategies[field] for field in STRATEGY if field in strategies}


def _child(entry: Mapping[str, Any], element: str) -> dict[str, Any]:
    """Return a child's facts. What it is called in its container's file may be said by the container alone."""
    facts = _facts(entry)
    if element and "element" not in facts and element != facts.get("directory"):
        facts["element"] = element
    return facts
