"""Duties of who publishes a site."""

from __future__ import annotations

import pytest

from flows.components import Component
from flows.gates import content
from tests.flows.gates.builders import (
    FEDERATION,
    GUEST,
    HELP,
    IS_GUEST,
    MODERATION,
    SHOWN,
    SITE,
    TODAY,
    bundle,
    facts,
    network,
    whole,
)

Case = tuple[str, object, tuple[Component, ...], dict[str, object], list[str]]
CASES: list[Case] = [
    ("site in order", content, (network(), SHOWN, *MODERATION), SITE, []),
    ("site unknown", content, (network(), SHOWN, *MODERATION), {}, ["R20.unknown", "R20.unknown", "R21.unknown"]),
    ("number not shown", content, (network(), *MODERATION), SITE, ["R21.number-not-shown"]),
    (
        "no filing, nobody to call",
        content,
        (network(), *MODERATION),
        {"sites": {"Help": {"icp_number": "", "takedown_contact": "", "content_days": 60}}},
        ["R20.no-takedown-contact", "R21.no-number"],
    ),
    ("no moderation", content, (network(), SHOWN), SITE, ["R20.no-moderation"]),
    (
        "no flags",
        content,
        (whole("Network:Help", "<Network></Network>"), SHOWN, *MODERATION),
        SITE,
        ["R20.no-flagging"],
    ),
    (
        "self-registration",
        content,
        (network("<selfRegistration>true</selfRegistration>"), SHOWN, *MODERATION),
        SITE,
        ["R20.unknown"],
    ),
    (
        "self-registration without names",
        content,
        (network("<selfRegistration>true</selfRegistration>"), SHOWN, *MODERATION),
        {"sites": {"Help": {**HELP, "real_name_verification": False}}},
        ["R20.no-real-names"],
    ),
    (
        "guest edits",
        content,
        (network(), SHOWN, *MODERATION, whole("Profile:G", GUEST % ("Edit", "Edit", IS_GUEST))),
        SITE,
        ["R20.guest-rights"],
    ),
    (
        "guest creates",
        content,
        (network(), SHOWN, *MODERATION, whole("Profile:G", GUEST % ("Create", "Create", IS_GUEST))),
        SITE,
        [],
    ),
    (
        "agent edits",
        content,
        (network(), SHOWN, *MODERATION, whole("Profile:G", GUEST % ("Edit", "Edit", ""))),
        SITE,
        [],
    ),
    ("number shown, no site", content, (SHOWN,), {}, []),
]


@pytest.mark.parametrize(("gate", "components", "known", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_gate_says_of_a_case_what_is_wrong_and_no_more(
    gate: object, components: tuple[Component, ...], known: dict[str, object], expected: list[str]
) -> None:
    known = {"api_ceiling": "67.0", **known}
    found = gate.gate(bundle(*components), FEDERATION.org("china-uat"), FEDERATION, facts(**known), TODAY)  # type: ignore[attr-defined]
    assert sorted(one.id for one in found) == expected
