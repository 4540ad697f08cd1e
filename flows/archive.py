"""Zip files that depend on names and bytes alone: sorted, one time stamp, one permission; and read whole or not."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

# The earliest time that the format can hold, and rw-r--r-- of a regular file.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_UNIX = 3


def zip_bytes(files: Mapping[str, bytes], level: int = 6) -> bytes:
    """Return a zip of `files` (path → content): the same bytes for the same files, by the same zlib."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = _UNIX, _MODE
            # An entry of ours has no level of its own, and does not take the archive's.
            archive.writestr(entry, files[path], compresslevel=level)
    return buffer.getvalue()


def zip_files(data: bytes) -> dict[str, bytes]:
    """Return the files of a zip by path. Raises `ValueError` when it isn't one, or a file in it is damaged or doubled.

    What zipfile raises of damaged bytes is many things: zlib's and struct's errors, some of its own.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files: dict[str, bytes] = {}
            for entry in archive.infolist():
                if entry.filename in files:
                    raise ValueError(f"{entry.filename} comes twice")
                if entry.compress_type not in {zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED}:
                    raise ValueError(f"{entry.filename} is compressed in a way that the kit doesn't write")
                files[entry.filename] = archive.read(entry)
            return files
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError) as error:
        raise ValueError(str(error) or type(error).__name__) from error
