"""The zips that the kit writes are those that `zipfile` would write, and are read whole or not."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.archive import zip_bytes, zip_files

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


def by_zipfile(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, files[path], compresslevel=6)
    return buffer.getvalue()


@given(st.dictionaries(NAMES, st.binary(max_size=200), max_size=6))
def test_a_zip_has_the_bytes_that_python_s_own_writer_gives(files: dict[str, bytes]) -> None:
    assert zip_bytes(files) == by_zipfile(files)
    assert zip_files(zip_bytes(files)) == files


def test_more_files_than_the_format_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="65536 files"):
        zip_bytes({f"{number}": b"" for number in range(65_536)})
