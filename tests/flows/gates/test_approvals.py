"""Approvals with throw-away keys: who may sign for whom, verified by the real ssh-keygen."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import pytest

from flows.gates.approvals import NAMESPACE, Signature, verify_approvals
from orgs.federation import Federation, load_federation

PLAN = "4f" * 32
TODAY = date(2026, 11, 22)
NAMES = ("anna.lindqvist", "marcus.weber", "li.wei", "chen.jing", "zhao.min")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name in NAMES:
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
        subprocess.run(make, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def federation(keys: Path) -> Federation:
    shipped = load_federation()
    approvers = tuple(
        one.model_copy(update={"public_key": (keys / f"{one.name}.pub").read_text().strip()})
        for one in shipped.approvers
    )
    return shipped.model_copy(update={"approvers": approvers})


def sign(keys: Path, key: str, plan: str = PLAN, namespace: str = NAMESPACE, name: str = "") -> Signature:
    command = ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", str(keys / key)]
    done = subprocess.run(command, input=plan.encode(), capture_output=True, check=True)
    return Signature(name or key, done.stdout.decode())


def verify(federation: Federation, org: str, *signatures: Signature, today: date = TODAY) -> list[str]:
    found = verify_approvals(PLAN, signatures, federation, federation.org(org), today)
    assert all(one.blocks for one in found)
    return [one.id.partition(".")[2] for one in found]


def test_headquarters_and_china_together_open_china_s_production(federation: Federation, keys: Path) -> None:
    both = (sign(keys, "li.wei"), sign(keys, "anna.lindqvist"))
    assert verify(federation, "china-production", *both) == []


def test_china_alone_opens_its_sandboxes(federation: Federation, keys: Path) -> None:
    assert verify(federation, "china-uat", sign(keys, "chen.jing")) == []


def test_an_unsigned_plan_is_refused(federation: Federation) -> None:
    assert verify(federation, "china-uat") == ["missing-key"]
    assert verify(federation, "china-production") == ["missing-key", "one-person", "missing-key"]


def test_two_keys_of_one_centre_do_not_open_china_s_production(federation: Federation, keys: Path) -> None:
    assert verify(federation, "china-production", sign(keys, "li.wei"), sign(keys, "chen.jing")) == ["missing-key"]


def test_one_person_can_not_turn_both_keys(federation: Federation, keys: Path) -> None:
    twice = (sign(keys, "anna.lindqvist"), sign(keys, "anna.lindqvist"))
    assert verify(federation, "global-production", *twice) == ["one-person"]
    assert verify(federation, "global-production", twice[0], sign(keys, "marcus.weber")) == []


def test_a_signature_over_another_plan_is_refused(federation: Federation, keys: Path) -> None:
    other = sign(keys, "li.wei", plan="5f" * 32)
    assert verify(federation, "china-uat", other) == ["bad-signature", "missing-key"]


def test_a_signature_made_for_another_use_is_refused(federation: Federation, keys: Path) -> None:
    assert verify(federation, "china-uat", sign(keys, "li.wei", namespace="git")) == ["bad-signature", "missing-key"]


def test_a_signature_with_somebody_else_s_key_is_refused(federation: Federation, keys: Path) -> None:
    borrowed = sign(keys, "zhao.min", name="li.wei")
    assert verify(federation, "china-uat", borrowed) == ["bad-signature", "missing-key"]


def test_what_is_no_signature_is_refused(federation: Federation) -> None:
    assert verify(federation, "china-uat", Signature("li.wei", "yes, ship it")) == ["bad-signature", "missing-key"]


def test_somebody_who_approves_other_orgs_only_is_refused(federation: Federation, keys: Path) -> None:
    assert verify(federation, "china-uat", sign(keys, "zhao.min")) == ["unknown-signer", "missing-key"]
    assert verify(federation, "china-uat", sign(keys, "anna.lindqvist")) == ["unknown-signer", "missing-key"]


def test_a_delegation_that_is_over_opens_nothing(federation: Federation, keys: Path) -> None:
    signed = sign(keys, "li.wei")
    assert verify(federation, "china-uat", signed, today=date(2027, 12, 31)) == []
    assert verify(federation, "china-uat", signed, today=date(2028, 1, 1)) == ["no-power", "missing-key"]
