"""Errors of SLS: a code, and status and text from `errors.json`."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


class LogError(Exception):
    """An answer that refuses. `values` fill the places in the table's text. Raises `KeyError` for an unknown code."""

    def __init__(self, code: str, **values: object) -> None:
        status, text = _table()[code]
        self.code = code
        self.status = int(status)
        self.message = str(text).format(**values)
        super().__init__(f"{code}: {self.message}")


@cache
def _table() -> dict[str, Any]:
    text = (files("emulators.alicloud.sls") / "errors.json").read_text(encoding="utf-8")
    errors: dict[str, Any] = json.loads(text)["errors"]
    return errors
