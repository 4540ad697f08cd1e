"""What an org gets of the sample, in Metadata API form, with ways to look names up."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lxml import etree

from flows.bundle import Bundle
from flows.compose import compose_for
from flows.package import assemble
from orgs.federation import load_federation

ROOT = Path(__file__).parents[2]
ORGS = [org.name for org in load_federation().orgs]
PREFIX = "{http://soap.sforce.com/2006/04/metadata}"

# Standard names that the sample uses; anything else without a suffix is a mistake in the sample.
STANDARD_FIELDS = {
    "Account": {"Name", "CreatedDate"},
    "Contact": {"Name", "Email"},
    "User": {"Name"},
    "Case": {"CaseNumber", "AccountId", "ContactId", "Status", "Origin", "Subject", "Description", "Id", "CreatedDate"},
}
PICKLISTS_OF_STANDARD_FIELDS = {"Case.Origin": "CaseOrigin", "Case.Status": "CaseStatus"}
STANDARD_RECORD_FIELDS = {"Id", "Name", "CreatedDate", "OwnerId"}


class Sample:
    """What one org gets, in Metadata API form, with ways to look names up."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.keys = {str(key) for key in bundle.components}
        files = assemble(bundle.components.values(), bundle.api_version).files
        self.text = {path: data.decode() for path, data in files.items() if b"\0" not in data[:1024]}
        self.xml = {
            path: etree.fromstring(text.encode())
            for path, text in self.text.items()
            if text.startswith("<?xml") and not path.endswith((".svg", ".cmp"))
        }

    def below(self, folder: str) -> Iterator[tuple[str, etree._Element]]:
        """Yield name and root of each XML file in a folder of the package."""
        for path, root in self.xml.items():
            if path.startswith(f"{folder}/"):
                yield path.rpartition("/")[2].partition(".")[0], root

    def bundle_names(self, kind: str) -> set[str]:
        return {key.full_name for key in self.bundle.components if key.type == kind}

    def has(self, kind: str, name: str) -> bool:
        return f"{kind}:{name}" in self.keys

    def has_field(self, object_name: str, field: str) -> bool:
        if self.has("CustomField", f"{object_name}.{field}"):
            return True
        if object_name in STANDARD_FIELDS:
            return field in STANDARD_FIELDS[object_name]
        return field in STANDARD_RECORD_FIELDS and self.has("CustomObject", object_name)

    def has_object(self, name: str) -> bool:
        return self.has("CustomObject", name) or name in STANDARD_FIELDS

    def field(self, object_name: str, field: str) -> etree._Element:
        root = self.xml[f"objects/{object_name}.object"]
        found = [each for each in root.findall(f"{PREFIX}fields") if text(each, "fullName") == field]
        assert len(found) == 1, f"{object_name}.{field}"
        return found[0]

    def picklist(self, object_name: str, field: str) -> dict[str, str]:
        """Return the values of a picklist: full name → label."""
        if f"{object_name}.{field}" in PICKLISTS_OF_STANDARD_FIELDS:
            name = PICKLISTS_OF_STANDARD_FIELDS[f"{object_name}.{field}"]
            return labels(self.xml[f"standardValueSets/{name}.standardValueSet"], "standardValue")
        element = self.field(object_name, field)
        shared = texts(element, "valueSet/valueSetName")
        if shared:
            return labels(self.xml[f"globalValueSets/{shared[0]}.globalValueSet"], "customValue")
        return labels(element, "valueSet/valueSetDefinition/value")


def path(steps: str) -> str:
    return "/".join(PREFIX + step for step in steps.split("/"))


def texts(element: etree._Element, steps: str) -> list[str]:
    return [each.text or "" for each in element.findall(path(steps))]


def text(element: etree._Element, steps: str) -> str:
    return (texts(element, steps) or [""])[0]


def labels(element: etree._Element, steps: str) -> dict[str, str]:
    return {text(each, "fullName"): text(each, "label") for each in element.findall(path(steps))}


@cache
def sample_of(org: str) -> Sample:
    return Sample(compose_for(load_federation(), org, ROOT))
