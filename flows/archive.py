"""Zip files that depend on names and bytes alone: sorted, one time stamp, one permission."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

# The earliest time that the format can hold, and rw-r--r-- of a regular file.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_UNIX = 3


def zip_bytes(files: Mapping[str, bytes], level: int = 6) -> bytes:
    """Return a zip of `files` (path → content): the same bytes for the same files, by the same zlib."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = _UNIX, _MODE
            archive.writestr(entry, files[path])
    return buffer.getvalue()
