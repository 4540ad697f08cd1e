"""Errors of the RPC products: a code, and status and text from `tables/errors.json`."""

from __future__ import annotations

from emulators.alicloud.tables import table


class ApiError(Exception):
    """An answer that refuses. `values` fill the places in the table's text. Raises `KeyError` for an unknown code."""

    def __init__(self, code: str, **values: object) -> None:
        status, text = table("errors")["errors"][code]
        self.code = code
        self.status = int(status)
        self.message = str(text).format(**values)
        super().__init__(f"{code}: {self.message}")
