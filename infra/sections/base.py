"""What every section of the config is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A frozen part of the config that knows each of its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)
