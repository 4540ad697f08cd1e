"""What the picture shows of a state, and in which words: `catalogue.yml`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from kit.yamlfile import parse_model, read_yaml

FILE = Path(__file__).with_name("catalogue.yml")

Language = Literal["en", "zh"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Entry):
    """One text in both languages."""

    en: str
    zh: str

    def say(self, language: Language, **values: str) -> str:
        """Return the text in a language, with its placeholders filled."""
        return (self.zh if language == "zh" else self.en).format(**values)


class Kind(Words):
    """How resources of one type are shown."""

    frame: str
    icon: str
    only: str | None = None  # the component whose parts are shown; the others' are left out
    shows: str | None = None  # the output that the card's second line says, beside what it is
    flow: str | None = None  # the flow over the border of the landing zone that begins or ends here
    lane: int = 1
    together: bool = False


class Catalogue(_Entry):
    """The whole file."""

    cards: dict[str, Kind]
    drawn: tuple[str, ...]
    left_out: tuple[str, ...]
    words: dict[str, Words]

    def knows(self, type_: str) -> bool:
        """Whether a type is drawn, or left out on purpose."""
        return type_ in self.cards or type_ in self.drawn or any(fnmatchcase(type_, each) for each in self.left_out)


@cache
def catalogue() -> Catalogue:
    """Return the catalogue."""
    return parse_model(Catalogue, read_yaml(FILE))
