"""Zip files that depend on names and bytes alone: sorted, one time stamp, one permission; and read whole or not."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Mapping

# 1 January 1980, 00:00, the earliest time that the format can hold, and rw-r--r-- of a regular file.
_TIME, _DATE = 0, 1 << 5 | 1
_MODE = 0o100644 << 16
_UNIX, _VERSION = 3, 20
_UTF8 = 1 << 11  # the flag of a name that is not ASCII
_DEFLATED = 8
_RAW = -15  # zlib's word for a window of 32 KiB, and no header around it
_MOST_FILES, _MOST_BYTES = 0xFFFF, 0xFFFFFFFF

# Of the local file header, the central directory's and its end, as PKWARE's APPNOTE 6.3.10 has them.
_LOCAL = struct.Struct("<4s2H3H3L2H")
_CENTRAL = struct.Struct("<4s2B2H3H3L5H2L")
_END = struct.Struct("<4s4H2LH")


def zip_bytes(files: Mapping[str, bytes], level: int = 6) -> bytes:
    """Return a zip of `files` (path → content): the same bytes for the same files, by the same zlib.

    Written here and not by `zipfile`, which takes most of its time for its own objects where files are many and small.
    Raises `ValueError` for more than the plain format holds: 65,535 files, 4 GiB.
    """
    return zip_of(packed(files, level))


Packed = tuple[str, int, int, bytes]
"""A file in a zip: path, CRC-32, length, and the compressed bytes."""


def packed(files: Mapping[str, bytes], level: int = 6) -> list[Packed]:
    """Return `files` (path → content) compressed, to be put together by `zip_of`.

    What comes again is not compressed again: most -meta.xml files of Apex say the same.
    """
    known: dict[bytes, tuple[int, int, bytes]] = {}
    found: list[Packed] = []
    for path, data in files.items():
        if (done := known.get(data)) is None:
            done = known[data] = zlib.crc32(data), len(data), zlib.compress(data, level, _RAW)
        found.append((path, *done))
    return found


def zip_of(files: Iterable[Packed]) -> bytes:
    """Return the zip of packed files, sorted by path. Raises `ValueError` for more than the plain format holds."""
    parts: list[bytes] = []
    directory: list[bytes] = []
    offset = 0
    for path, crc, length, data in sorted(files):
        name = path.encode()
        flags = 0 if path.isascii() else _UTF8
        about = (flags, _DEFLATED, _TIME, _DATE, crc, len(data), length, len(name), 0)
        parts += [_LOCAL.pack(b"PK\3\4", _VERSION, *about), name, data]
        directory += [_CENTRAL.pack(b"PK\1\2", _VERSION, _UNIX, _VERSION, *about, 0, 0, 0, _MODE, offset), name]
        offset += _LOCAL.size + len(name) + len(data)
    number = len(parts) // 3
    if number > _MOST_FILES or offset > _MOST_BYTES:
        raise ValueError(f"{number} files of {offset} bytes are more than a zip holds")
    size = sum(map(len, directory))
    end = _END.pack(b"PK\5\6", 0, 0, number, number, size, offset, 0)
    return b"".join([*parts, *directory, end])


def zip_files(data: bytes) -> dict[str, bytes]:
    """Return the files of a zip by path. Raises `ValueError` when it isn't one, or a file in it is damaged or doubled.

    What zipfile raises of damaged bytes is many things: zlib's and struct's errors, some of its own.
    """
    import zipfile  # loaded here: who only writes zips needs none of it

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
