"""Partners: what goes to China is written by the company's own people or by a partner with both proofs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from flows.bundle import Bundle
from flows.components import ComponentKey
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding, unknown
from flows.render.elements import LAYER as RENDERED
from orgs.editions import Edition
from orgs.federation import Federation, Org
from orgs.partners import Partner

FILE = "orgs/partners.yml"
NOTICE_DAYS = 90  # a figure of the kit: time to renew a certification or a contract


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge who wrote what goes to a China org."""
    if org.edition is not Edition.ALIBABA:
        return
    if facts.authors is None or facts.partners is None:
        where, where_zh = f"the repository's history, {FILE}", f"仓库的提交历史与 {FILE}"
        yield unknown("K54", f"org:{org.name}", None, "who wrote the components", where, "组件由谁编写", where_zh)
        return
    work, orphans = _work(bundle, facts.authors)
    if orphans:
        fact = f"who wrote {orphans[0]}" + (f" and {len(orphans) - 1} more" if len(orphans) > 1 else "")
        zh = f"{orphans[0]}{f' 等 {len(orphans)} 个组件' if len(orphans) > 1 else ''}由谁编写"
        source = bundle.components[orphans[0]].source
        yield unknown("K54", f"org:{org.name}", source, fact, "a commit of the repository", zh, "仓库的一次提交")
    last: dict[str, tuple[Partner, date]] = {}
    for address, changes in sorted(work.items()):
        if facts.partners.is_own(address):
            continue
        partner = facts.partners.of(address)
        if partner is None:
            keys = sorted(changes)
            fact = f"which partner {address} works for ({len(keys)} components, {keys[0]} first)"
            domain = address.rpartition("@")[2].lower()
            zh = f"{address} 属于哪个合作伙伴({keys[0]} 等 {len(keys)} 个组件)"
            where = f"{FILE}: {domain} → own_domains, or partners → domains"
            where_zh = where.replace(", or ", " 或 ")
            yield unknown("K54", f"author:{address}", bundle.components[keys[0]].source, fact, where, zh, where_zh)
        else:
            _, day = last.get(partner.name, (partner, date.min))
            last[partner.name] = (partner, max(day, *changes.values()))
    for partner, day in last.values():
        yield from _proofs(partner, day, today)


def _proofs(partner: Partner, last: date, today: date) -> Iterator[Finding]:
    """Yield which proof is missing, or had ended when the partner last changed something that is released."""
    subject = f"partner:{partner.name}"
    proofs = {"certification": partner.china_practice, "contract": partner.alibaba_contract}
    for kind, proof in proofs.items():
        if proof is None:
            yield finding(f"K54.no-{kind}", subject, None, partner=partner.name)
        elif proof.until < last:
            texts = {"partner": partner.name, "number": proof.number, "until": proof.until}
            yield finding(f"K54.{kind}-expired", subject, None, **texts)
        elif (proof.until - today).days <= NOTICE_DAYS:
            yield finding("K54.expires", subject, None, number=proof.number, until=proof.until)


def _work(
    bundle: Bundle, authors: Mapping[ComponentKey, Mapping[str, date]]
) -> tuple[dict[str, dict[ComponentKey, date]], list[ComponentKey]]:
    work: dict[str, dict[ComponentKey, date]] = {}
    orphans = []
    for key, component in bundle.components.items():
        if component.layer == RENDERED:
            continue  # nobody wrote it: the kit made it of the landing zone's outputs
        changes = authors.get(key, {})
        if not changes:
            orphans.append(key)
        for address, day in changes.items():
            work.setdefault(address, {})[key] = day
    return work, orphans
