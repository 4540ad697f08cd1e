"""A short selection of the matrix, against one org of each edition. The whole of it: `make matrix`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.adapters import CLIENTS
from tests.clients.runner import carry_out, operations
from tests.clients.stage import Stage, stage

# `sf` takes some seconds a call: it is tried on the org that it knows least.
ORGS = {"sf": ("china-uat",)}


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("clients"), ("china-uat", "global-production")) as standing:
        yield standing


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_does_what_it_is_asked(client: str, standing: Stage) -> None:
    names = ORGS.get(client, ("china-uat", "global-production"))
    chosen = tuple(row for row in operations() if row.client == client and row.short)
    columns = tuple(column for column in standing.columns if column.name in names)
    outcomes = carry_out(Stage(standing.folder, columns, standing.world, standing.seed), client, chosen)
    missing = [each.why for each in outcomes if each.mark == "not run"]
    if missing:
        pytest.skip(f"not run: {missing[0]}")
    assert not [f"{each.org} {each.operation.name}: {each.why}" for each in outcomes if each.mark != "passed"]
    assert len(outcomes) == len(chosen) * len(names) > 0
