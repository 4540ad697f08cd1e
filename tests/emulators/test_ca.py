"""The authority: its key stays private, its certificate is made once."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from emulators.ca import Authority


def test_the_key_is_its_owner_s_alone(tmp_path: Path) -> None:
    Authority(tmp_path)
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600


def test_the_same_home_has_the_same_authority(tmp_path: Path) -> None:
    first = Authority(tmp_path).file.read_bytes()
    assert Authority(tmp_path).file.read_bytes() == first


def test_an_authority_without_its_key_is_made_anew(tmp_path: Path) -> None:
    first = Authority(tmp_path).file.read_bytes()
    (tmp_path / "ca.key").unlink()
    assert Authority(tmp_path).file.read_bytes() != first


@pytest.mark.parametrize("host", ["a" * 60 + ".example.test", "127.0.0.1", "a_b.example.test"])
def test_any_host_gets_a_certificate(tmp_path: Path, host: str) -> None:
    authority = Authority(tmp_path)
    assert authority.context(host) is authority.context(host)
