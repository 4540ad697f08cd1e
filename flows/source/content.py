"""Reads source files whole."""

from __future__ import annotations

import os

_CHUNK = 1 << 16


def first_read(path: str) -> bytes:
    """Return what one call reads of a file of less than 64 KiB, b"" of a larger one. Raises `OSError`.

    Enough where the content tells its own end: a system may give less of a file than there is.
    """
    file = os.open(path, os.O_RDONLY)
    try:
        data = os.read(file, _CHUNK)
        return data if len(data) < _CHUNK else b""
    finally:
        os.close(file)


def content_of(path: str) -> bytes:
    """Return a file's bytes. Raises `OSError`.

    By the system's calls alone: of 10,000 small files, Python's objects for them take longer than reading.
    """
    file = os.open(path, os.O_RDONLY)
    try:
        data = os.read(file, _CHUNK)
        if not (rest := os.read(file, _CHUNK)):
            return data
        parts = [data]
        while rest:
            parts.append(rest)
            rest = os.read(file, 16 * _CHUNK)
        return b"".join(parts)
    finally:
        os.close(file)
