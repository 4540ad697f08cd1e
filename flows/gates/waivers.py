"""Waivers: who lets a finding pass, why, and until when. A waiver is shown with its finding; it hides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from flows.gates.finding import Finding, Waived, finding
from kit.problems import Place
from kit.yamlfile import parse_model, read_yaml
from orgs.federation import Federation, Org, Power

NOTICE_DAYS = 14  # a figure of the kit: time to fix what was waived, or to have it renewed


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    check: Annotated[str, Field(pattern=r"^[A-Z][0-9]{2}\.[a-z-]+$", examples=["R21.number-not-shown"])]
    component: Annotated[str, Field(min_length=1)]
    orgs: tuple[str, ...] = Field(min_length=1)
    by: str
    reason: str = Field(min_length=20)
    until: date


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    waivers: tuple[_Entry, ...]


@dataclass(frozen=True, slots=True)
class Waiver:
    """One entry of `orgs/waivers.yml` and where it stands. `by` names an approver of the federation."""

    check: str
    component: str
    orgs: tuple[str, ...]
    by: str
    reason: str
    until: date
    place: Place


def read_waivers(path: Path) -> tuple[Waiver, ...]:
    """Return the waivers of a file. Raises `Refused` with all of its problems."""
    file = read_yaml(path)
    return tuple(
        Waiver(**entry.model_dump(), place=file.place(("waivers", at)))
        for at, entry in enumerate(parse_model(_File, file).waivers)
    )


def apply_waivers(
    findings: Iterable[Finding], waivers: Iterable[Waiver], federation: Federation, org: Org, today: date
) -> tuple[Finding, ...]:
    """Return the findings, those with a waiver that holds marked, and a finding for each waiver that holds not.

    A waiver holds until its last day, if the approver's centre has the power that the rule asks for on that day.
    """
    found = list(findings)
    extra: list[Finding] = []
    for waiver in waivers:
        if org.name not in waiver.orgs:
            continue
        matching = [at for at, one in enumerate(found) if (one.id, one.component) == (waiver.check, waiver.component)]
        fault = ""
        if waiver.until < today:
            fault = f"expired on {waiver.until}"
        elif any(not _may(waiver.by, found[at].rule.waiver, federation, org, today) for at in matching):
            fault = f"{waiver.by} may not waive it"
        if fault:
            extra.append(finding("K60.invalid", waiver.check, waiver.place, fault=fault, waived=waiver.component))
            continue
        if matching and (waiver.until - today).days <= NOTICE_DAYS:
            texts = {"waived": waiver.component, "until": waiver.until}
            extra.append(finding("K60.expires", waiver.check, waiver.place, **texts))
        for at in matching:
            found[at] = replace(found[at], waived=Waived(waiver.by, waiver.reason, waiver.until))
    return (*found, *extra)


def _may(name: str, power: str, federation: Federation, org: Org, today: date) -> bool:
    if not power:
        return False
    return any(
        approver.name == name and federation.centre(approver.centre).holds(Power(power), today)
        for approver in federation.approvers_of(org)
    )
