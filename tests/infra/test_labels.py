from __future__ import annotations

import re
import string

from hypothesis import given
from hypothesis import strategies as st

from infra.labels import Labels
from infra.limits import limits

words = st.text(string.ascii_lowercase, min_size=1, max_size=1).flatmap(
    lambda head: st.text(string.ascii_lowercase + string.digits, max_size=15).map(lambda tail: head + tail)
)
parts = st.lists(words, min_size=1, max_size=12).map("-".join)
accounts = st.from_regex(r"[0-9]{16}", fullmatch=True)


@given(words, words, accounts, parts)
def test_every_name_keeps_the_rules_of_its_service(company: str, environment: str, account: str, part: str) -> None:
    labels = Labels(company, environment, account)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", labels.bucket(part))
    assert re.fullmatch(r"[a-z][a-z0-9-]{1,127}", labels.vpc("network", part))
    assert re.fullmatch(r"[a-z][a-z0-9-]{1,127}", labels.security_group("network", part))
    assert re.fullmatch(r"alias/[a-z0-9-]{1,249}", labels.kms_alias("storage", part))


@given(accounts, parts, parts)
def test_two_parts_never_share_a_name(account: str, one: str, other: str) -> None:
    labels = Labels("acme", "production", account)
    assert (labels.bucket(one) == labels.bucket(other)) == (one == other)
    assert (labels.vpc("network", one) == labels.vpc("network", other)) == (one == other)


@given(accounts, accounts)
def test_two_accounts_never_share_a_bucket_name(one: str, other: str) -> None:
    names = {Labels("acme", "production", account).bucket("ledger") for account in (one, other)}
    assert len(names) == len({one, other})


def test_a_name_that_fits_is_left_as_it_is() -> None:
    assert Labels("acme", "uat", "1").vpc("network", "nat") == "acme-uat-network-nat"


def test_a_name_that_does_not_fit_is_cut_and_keeps_its_head() -> None:
    name = Labels("acme", "uat", "1").vpc("network", "x" * 200)
    assert len(name) == limits().names.vpc
    assert name.startswith("acme-uat-network-xxx")
