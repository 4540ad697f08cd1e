"""The org that CumulusCI is given: a token of its own, minted when there is none or the last one is old."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cumulusci.core.exceptions import CumulusCIUsageError

from flows.tasks import keychain
from flows.tasks.keychain import TOKEN_SECONDS, FederationKeychain, FederationOrg
from flows.tokens import Session
from orgs.federation import Org, load_federation


@pytest.fixture
def minted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the orgs for which a token was minted."""
    names: list[str] = []

    def mint(org: Org) -> Session:
        names.append(org.name)
        host = f"{org.name}.example"
        return Session(org.name, host, org.runner.username, f"https://{host}/id/00D/005", f"token-{len(names)}")

    monkeypatch.setattr(keychain, "mint", mint)
    return names


def test_a_token_is_there_before_anything_was_refreshed_and_is_used_again_until_it_is_old(
    minted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    unused: Any = None
    org = FederationOrg(load_federation().orgs[0], unused)
    assert minted == []
    assert org.access_token == "token-1"
    assert org.config["access_token"] == "token-1"
    now[0] += TOKEN_SECONDS
    assert org.access_token == "token-1"
    now[0] += 1
    assert org.access_token == "token-2"
    assert minted == [org.name] * 2


def test_cci_says_that_a_project_has_no_federation_and_offers_it_no_other_s_orgs(tmp_path: Path) -> None:
    with pytest.raises(CumulusCIUsageError, match=r"federation\.yml is missing"):
        FederationKeychain(SimpleNamespace(repo_root=str(tmp_path)), None)
