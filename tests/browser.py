"""What a browser makes of a page: its picture in pixels."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

HEAD = 8  # bytes before a PNG's first chunk
SECONDS = 120


@dataclass(frozen=True)
class Picture:
    """A screenshot: its size in pixels, and how many values its bytes have. A blank page's are a few."""

    width: int
    height: int
    values: int


def seen(page: Path, folder: Path, width: int, height: int) -> Picture:
    """Return what chromium shows of a page in a window of this size; skip the test where there is no chromium."""
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("not run: no chromium here")
    shot = folder / "shot.png"
    options = [f"--screenshot={shot}", f"--window-size={width},{height}", f"--user-data-dir={folder / 'profile'}"]
    command = [browser, "--headless", "--no-sandbox", *options, page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
    data = shot.read_bytes()
    at, pixels = HEAD, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            pixels += data[at + 8 : at + 8 + length]
        at += length + 12
    wide, high = struct.unpack(">II", data[16:24])
    return Picture(wide, high, len(set(zlib.decompress(pixels))))
