"""What the tests of admission share."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.approval import known_approvers
from orgs.federation import Federation, load_federation
from pipelines.approvers import make_keys


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = [one.name for one in load_federation().approvers]
    return make_keys(tmp_path_factory.mktemp("keys") / "approvers", names)


@pytest.fixture
def federation(keys: Path, monkeypatch: pytest.MonkeyPatch) -> Federation:
    monkeypatch.setenv("SFOA_APPROVERS", str(keys))
    return known_approvers(load_federation(), "local")
