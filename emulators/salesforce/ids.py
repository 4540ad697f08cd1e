"""Salesforce record ids: 15 case-sensitive characters, and the three that make them safe to compare without case."""

from __future__ import annotations

import hashlib

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def with_checksum(ident: str) -> str:
    """Return the 18-character form of a 15-character id.

    Each suffix character holds, for five characters of the id, which of them are upper case (lowest bit
    first). Source: Salesforce Object Reference, "ID Field Type". Raises `ValueError` for another length.
    """
    if len(ident) != 15:
        raise ValueError(f"a Salesforce id has 15 characters before its checksum, not {len(ident)}")
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << place for place, char in enumerate(ident[start : start + 5]) if "A" <= char <= "Z")
        suffix += _CHECK[bits]
    return ident + suffix


def normal(ident: str) -> str | None:
    """Return the 18-character form of an id that was given in either form, or None when it is no valid id."""
    if len(ident) not in (15, 18) or not (ident.isascii() and ident.isalnum()):
        return None
    full = with_checksum(ident[:15])
    return full if len(ident) == 15 or ident == full else None


def numbered(prefix: str, number: int) -> str:
    """Return the 18-character id of the `number`-th record of a key prefix such as `001`."""
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return with_checksum(prefix + "5g" + digits.rjust(10, "0"))


def derived(prefix: str, *parts: str) -> str:
    """Return the 18-character id that always belongs to `parts`: the same in every run."""
    number = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:12], "big")
    digits = ""
    for _ in range(12):
        number, digit = divmod(number, 62)
        digits += _BASE62[digit]
    return with_checksum(prefix + digits)
