"""What the federation agreed on: days without releases, the order of rings, and overrides that grow old.

Calendar and rings have one owner each, `flows.freeze` and `flows.rings`: a run asks them for itself, at its own hour,
and an emergency may go against them. `timing` is what they say to those who look at a release without running it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

from flows.bundle import Bundle
from flows.freeze import arranged_for, freezes_on
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding, unknown
from flows.rings import before
from kit.yamlfile import read_yaml
from orgs.federation import Federation, Org
from orgs.freezes import Freezes

TABLE_FILE = Path(__file__).with_name("deviations.yml")


@cache
def deviation_days() -> int:
    """Return after how many days an override is old."""
    days: int = read_yaml(TABLE_FILE).data["deviation_days"]
    return days


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge whether what the release overrides of earlier layers has grown old."""
    yield from _deviations(bundle, org, facts, today)


def timing(org: Org, federation: Federation, freezes: Freezes, today: date) -> Iterator[Finding]:
    """Judge whether the calendar lets anything go to the org on that day; ask for the rings, which the ledger knows."""
    where = f"org:{org.name}"
    for freeze in freezes_on(org, freezes, today):
        texts = {"title": freeze.title, "zh": freeze.zh, "end": freeze.end}
        yield finding("K50.freeze", where, None, org=org.name, **texts)
    if not arranged_for(org, freezes, today):
        fact = f"the State Council's arrangement of holidays for {today.year}"
        zh = f"国务院办公厅 {today.year} 年节假日安排"
        yield unknown("K50", where, None, fact, "orgs/freezes.yml (holidays)", zh)
    if earlier := before(org, federation):
        names = ", ".join(other.name for other in earlier)
        fact, zh = f"whether this release is in {names} and has soaked there", f"{names} 是否已持有该版本并度过观察期"
        yield unknown("K51", where, None, fact, _LEDGER, zh, _LEDGER_ZH)


_OVERRIDES_ZH = "哪些组件覆盖了较早的层"
_LEDGER, _LEDGER_ZH = "the ledger (cci flow run gate)", "账本 (cci flow run gate)"


def _deviations(bundle: Bundle, org: Org, facts: Facts, today: date) -> Iterator[Finding]:
    if facts.deviations is None:
        yield unknown(
            "K52", f"org:{org.name}", None, "which components override earlier layers", "metadata/", _OVERRIDES_ZH
        )
        return
    for deviation in facts.deviations:
        if deviation.key not in bundle.components:
            continue
        if deviation.since is None:
            fact, zh = f"since when {deviation.layer} overrides it", f"{deviation.layer} 从何时起覆盖它"
            yield unknown(
                "K52", deviation.key, deviation.place, fact, "the history of the repository", zh, "仓库的提交历史"
            )
        elif (today - deviation.since).days > deviation_days():
            texts = {"layer": deviation.layer, "replaces": deviation.replaces, "since": deviation.since}
            yield finding("K52.old-deviation", deviation.key, deviation.place, **texts)
