"""`sfoa checklist`: what people still have to do by hand for the channels and the sign-on of an org."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from flows.admission import BEIJING
from flows.project import federation_of, project_root
from kit.console import emit, guarded, json_option
from orgs.checklist import FILE, Standing, items, load_checklist, standings


@click.command()
@click.option("--org", "name", required=True, help="An org of the federation.")
@json_option
@guarded
def checklist(name: str, as_json: bool) -> None:
    """Show what WeChat, WeCom and sign-on need in an org that no metadata says, and which of it is open."""
    root = project_root()
    federation = federation_of(root)
    org = federation.org(name)
    today = datetime.now(UTC).astimezone(BEIJING).date()
    found = standings(load_checklist(root / "orgs" / FILE, federation), org, today)
    about = items()
    result = {
        "org": org.name,
        "as_of": about.as_of.isoformat(),
        "source": about.source,
        "open": sum(one.open for one in found),
        "items": [_as_json(one) for one in found],
    }
    emit(result, as_json=as_json, text="" if as_json else "\n".join(_lines(org.name, found)))


def _as_json(one: Standing) -> dict[str, object]:
    deed = one.deed
    done = {"by": deed.by, "day": deed.day.isoformat(), "evidence": deed.evidence} if deed else None
    return {**one.item.model_dump(mode="json"), "open": one.open, "done": done}


def _lines(org: str, found: tuple[Standing, ...]) -> list[str]:
    if not found:
        return [f"{org} has neither WeChat nor WeCom by orgs/{FILE}, nor sign-on of the landing zone's"]
    lines = [f"{org}: {sum(one.open for one in found)} of {len(found)} are open"]
    for one in found:
        item, deed = one.item, one.deed
        since = f" (done by {deed.by} on {deed.day}: {deed.evidence})" if deed else ""
        lines.append(f"{'open' if one.open else 'done'}  {item.id}: {item.title} / {item.zh}{since}")
        if one.open:
            lines += [f"        who: {item.who}", f"        where: {item.where}", f"        verify: {item.verify}"]
    return lines
