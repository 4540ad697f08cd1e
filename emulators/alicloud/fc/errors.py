"""Errors of FC, from knowledge of its error codes (2026-11-22); the texts are the emulator's own."""

from __future__ import annotations


class FunctionError(Exception):
    """An answer that refuses."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


def missing(kind: str, name: str) -> FunctionError:
    """Return the error for a resource that isn't there; `kind` is Function, Trigger or DomainName."""
    return FunctionError(404, f"{kind}NotFound", f"{kind} {name!r} doesn't exist.")


def wrong(message: str) -> FunctionError:
    """Return the error for what a call may not say."""
    return FunctionError(400, "InvalidArgument", message)
