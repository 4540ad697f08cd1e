"""Requests and responses as the emulated services see them: whole, parsed once, with no socket in sight."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote


@dataclass(frozen=True)
class Request:
    """One HTTP request. `target` is path and query as sent; header names are lower case."""

    method: str
    host: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    secure: bool = True  # whether it came over TLS

    @cached_property
    def raw_path(self) -> str:
        """The path, still percent-encoded."""
        # Not urlsplit: it would take the first part of a path that begins with // for a host.
        return self.target.partition("?")[0] or "/"

    @cached_property
    def raw_query(self) -> str:
        """The query, still percent-encoded; "" for none."""
        return self.target.partition("?")[2]

    @cached_property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(self.raw_path)

    @cached_property
    def query(self) -> dict[str, str]:
        """The query parameters, decoded; a key without `=` has the value "" (OSS sub-resources)."""
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    @cached_property
    def form(self) -> dict[str, str]:
        """The body as form fields; empty when the body is no form. What isn't UTF-8 comes as U+FFFD."""
        if not self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return {}
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))

    @cached_property
    def json(self) -> Any:
        """The body as JSON. Raises `ValueError` when it is none."""
        return json.loads(self.body or b"null")


@dataclass(frozen=True)
class Response:
    """One HTTP response. The server adds `Date`, `Content-Length` and `Connection`."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, data: Any, status: int = 200, **headers: str) -> Response:
        """Return a JSON response; underscores in header keywords become dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = json.dumps(data, ensure_ascii=False).encode()
        return cls(status, body, {"Content-Type": "application/json;charset=UTF-8", **named})

    @classmethod
    def of_xml(cls, text: str, status: int = 200, **headers: str) -> Response:
        """Return an XML response; underscores in header keywords become dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, text.encode(), {"Content-Type": "application/xml", **named})
