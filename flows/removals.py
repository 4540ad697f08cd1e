"""`remove.yml` of a layer: the components of earlier layers that it leaves out, each with the reason."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from flows.components import ComponentKey
from flows.compose import Removal
from kit.yamlfile import parse_model, read_yaml


class _Removal(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    component: str
    reason: str = Field(min_length=1)

    @field_validator("component")
    @classmethod
    def _is_a_key(cls, text: str) -> str:
        try:
            ComponentKey.parse(text)
        except ValueError as error:
            context = {"rule": "a component is written Type:FullName", "fix": "write CustomTab:Invoice__c"}
            raise PydanticCustomError("component_key", "{text} is no component", {"text": text, **context}) from error
        return text


class _Removals(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    remove: tuple[_Removal, ...]


def read_removals(file: Path) -> tuple[Removal, ...]:
    """Return what `remove.yml` lists, nothing when there is no such file. Raises `Refused`.

    Its form: `remove: [{component: "CustomTab:Invoice__c", reason: "…"}]`.
    """
    if not file.is_file():
        return ()
    document = read_yaml(file)
    entries = parse_model(_Removals, document).remove
    return tuple(
        Removal(ComponentKey.parse(entry.component), entry.reason, document.place(("remove", position, "component")))
        for position, entry in enumerate(entries)
    )
