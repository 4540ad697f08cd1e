"""Whether a release may go to an org: every org of the rings before holds it, and has soaked. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flows.ledger import Entry
from flows.plan import State
from kit.problems import Problem
from orgs.federation import Federation, Org

RULE = "a ring opens when every org of the rings before it holds the release, and has for the ring's soak_hours"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an org stands to a release: whether it holds all that the release gives it, and since when (UTC).

    An org that a release gives nothing new holds it since its last success: the release doesn't reach it.
    """

    org: str
    holds: bool
    since: datetime | None = None


def standing(org: str, wanted: State, shipped: State, success: Entry | None) -> Standing:
    """Return how `org` stands to a release that gives it `wanted`: `shipped` is what its ledger says it holds,
    `success` the entry that says so."""
    since = datetime.fromisoformat(success.at) if success else None
    return Standing(org, dict(wanted) == dict(shipped), since)


def before(org: Org, federation: Federation) -> tuple[Org, ...]:
    """Return the orgs of the rings before that of `org`."""
    return tuple(other for other in federation.orgs if other.ring < org.ring)


def closed(org: Org, federation: Federation, standings: Iterable[Standing], now: datetime) -> list[Problem]:
    """Return why the ring of `org` is closed at `now`; nothing when it is open. An org without a standing holds
    nothing."""
    known = {each.org: each for each in standings}
    problems = []
    for other in before(org, federation):
        found = known.get(other.name)
        if found is None or not found.holds:
            problems.append(_missing(org, other))
            continue
        soak = timedelta(hours=federation.soak_hours.get(other.ring, 0))
        if soak and found.since and now < found.since + soak:
            problems.append(_soaking(org, other, found.since + soak))
    return problems


def _missing(org: Org, other: Org) -> Problem:
    return Problem(
        f"ring {org.ring} is closed for {org.name}: {other.name} (ring {other.ring}) does not hold this release",
        RULE,
        f"promote {other.name} first; an emergency takes a reason and headquarters' signature (option emergency)",
        value=other.name,
        what_zh=f"第 {org.ring} 环对 {org.name} 尚未开放:{other.name}(第 {other.ring} 环)尚未持有该版本",
        fix_zh=f"请先发布到 {other.name};紧急情况需说明理由并由总部签名(选项 emergency)",
    )


def _soaking(org: Org, other: Org, opens: datetime) -> Problem:
    when = opens.strftime("%Y-%m-%d %H:%M UTC")
    return Problem(
        f"ring {org.ring} is closed for {org.name}: {other.name} (ring {other.ring}) soaks until {when}",
        RULE,
        f"promote after {when}; an emergency takes a reason and headquarters' signature (option emergency)",
        value=other.name,
        what_zh=f"第 {org.ring} 环对 {org.name} 尚未开放:{other.name}(第 {other.ring} 环)观察期至 {when}",
        fix_zh=f"请在 {when} 之后发布;紧急情况需说明理由并由总部签名(选项 emergency)",
    )
