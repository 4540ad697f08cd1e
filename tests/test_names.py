"""Every worker that shares out the tests has to collect the same names; pytest-xdist stops where they differ."""

import pytest

from tests.conftest import pytest_make_parametrize_id


def test_no_test_is_named_after_a_key_or_a_certificate(request: pytest.FixtureRequest) -> None:
    names = [item.nodeid for item in request.session.items]
    assert [name for name in names if "PRIVATE KEY" in name or "CERTIFICATE-----" in name] == []


def test_a_long_value_takes_the_name_of_its_parameter() -> None:
    assert pytest_make_parametrize_id("x" * 81, "key") == "key"
    assert pytest_make_parametrize_id(b"x" * 81, "key") == "key"
    assert pytest_make_parametrize_id("x" * 80, "key") is None
    assert pytest_make_parametrize_id(81, "key") is None
