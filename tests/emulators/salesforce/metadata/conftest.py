"""Orgs to deploy to."""

from __future__ import annotations

import pytest
from tests.emulators.salesforce.metadata.metadata_support import EmulatedOrg


@pytest.fixture
def sandbox() -> EmulatedOrg:
    return EmulatedOrg()


@pytest.fixture
def production() -> EmulatedOrg:
    return EmulatedOrg("production")
