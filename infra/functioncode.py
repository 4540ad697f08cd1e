"""The code of our functions as Function Compute takes it: the same bytes on every machine."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path

HANDLER = "index.handle"
ROOT = Path(__file__).parent
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # what a zip file can say; the real times differ from checkout to checkout


def package(name: str) -> str:
    """Return the zip file (Base64) of the function `infra/functions/<name>`, whose handler is `HANDLER`."""
    functions = ROOT / "functions"
    files = {f"infra/{path.relative_to(ROOT).as_posix()}": path.read_text() for path in (functions / name).glob("*.py")}
    files |= {"infra/__init__.py": "", "infra/functions/__init__.py": ""}
    files["index.py"] = f"from infra.functions.{name}.entry import handle\n\n__all__ = [{'handle'!r}]\n"
    made = io.BytesIO()
    # Stored, not deflated: what deflate makes of the same bytes depends on the library.
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for path, text in sorted(files.items()):
            entry = zipfile.ZipInfo(path, _EARLIEST)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, text)
    return base64.b64encode(made.getvalue()).decode()
