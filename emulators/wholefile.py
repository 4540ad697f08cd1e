"""Files that are written whole or not at all: a full disk or a killed process leaves what was there before."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(file: Path, data: bytes, mode: int = 0o666) -> None:
    """Write `data` to `file`, made with `mode` less the umask. Raises `OSError`."""
    draft = file.with_name(file.name + ".new")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            out.write(data)
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
