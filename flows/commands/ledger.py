"""`sfoa ledger`: the history of an org, and whether anyone tampered with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from flows.handover import read_outputs
from flows.ledger import Entry, Event, Ledger, Record
from flows.objectstore import buckets_of
from flows.project import federation_of, project_root
from flows.shelf import Shelf
from kit.console import emit, guarded, json_option
from kit.problems import Problem, Refused, refuse_if_any

_STYLES = {Event.SUCCEEDED: "green", Event.FAILED: "red"}


@click.group()
def ledger() -> None:
    """What was done to which org, and when."""


@ledger.command()
@click.option("--org", "name", required=True, help="An org of the federation.")
@click.option("--all", "every", is_flag=True, help="Every step, not only how each run ended.")
@json_option
@guarded
def show(name: str, every: bool, as_json: bool) -> None:
    """Show the history of an org, oldest first."""
    root = project_root()
    org = federation_of(root).org(name)
    book = Ledger.of(buckets_of(read_outputs(project=root)))
    entries = book.entries(org.name)
    shown = [entry for entry in entries if every or not entry.record.event.is_open or entry is entries[-1]]
    emit(
        [asdict(entry) for entry in shown], as_json=as_json, text="" if as_json else _text(org.name, shown, book.place)
    )


@ledger.command()
@click.option("--org", "name", help="An org of the federation; default: all orgs that have entries.")
@json_option
@guarded
def verify(name: str | None, as_json: bool) -> None:
    """Check the chain: find any altered, missing or reordered entry, and any snapshot that is lost or altered."""
    root = project_root()
    org = federation_of(root).org(name).name if name else None
    buckets = buckets_of(read_outputs(project=root))
    book = Ledger.of(buckets)
    count, problems = book.verify(org)
    if not problems:
        problems = _snapshot_problems(book, Shelf(buckets.releases, buckets.backups), [org] if org else book.orgs())
    refuse_if_any(problems, "the ledger is not as it was written")
    emit({"entries": count}, as_json=as_json, text=f"{count} entries, all as they were written")


def _snapshot_problems(book: Ledger, shelf: Shelf, orgs: Sequence[str]) -> list[Problem]:
    """Return what is wrong with the snapshots that the entries of `orgs` name."""
    digests = {entry.record.snapshot for org in orgs for entry in book.entries(org)} - {""}
    problems: list[Problem] = []
    for digest in sorted(digests):
        try:
            shelf.snapshot(digest)
        except Refused as refused:
            problems += refused.problems
    return problems


def _text(org: str, entries: list[Entry], place: str) -> str:
    from rich import box  # drawing loads the engine: --json and --help do without
    from rich.markup import escape
    from rich.table import Table

    from flows.view import as_text, counts_text, package_text

    if not entries:
        return f"{org}: no entries in {place}{org}/"
    table = Table(box=box.SIMPLE, title=f"{org}: {place}{org}/", title_justify="left")
    for column in ("Entry", "When", "Who", "What", "Release", "Snapshot", "Tests"):
        table.add_column(column, overflow="fold")
    for entry in entries:
        record = entry.record
        style = _STYLES.get(record.event, "yellow")
        back = "" if record.rollback_to is None else f"rollback to entry {record.rollback_to}, "
        accepted = [f"overwritten though changed by hand: {name}" for name in record.accepted]
        words = [f"{back}[{style}]{record.event}[/]: {counts_text(dict(record.counts))}"]
        approved = [f"approved by {each['name']} ({each['centre']}, {each['key'][:19]}…)" for each in record.approvals]
        left = [f"left out: {each['component']}: {each['reason']}" for each in record.excluded]
        waived = [f"waived by {each['by']}: {each['check']}, {each['reason']}" for each in record.waived]
        urgent = [f"emergency: {record.emergency}"] if record.emergency else []
        if record.tried:
            approved.append(f"single sign-on was tried first: {record.tried['sandbox']} at {record.tried['at']}")
        came = [f"release {record.release[:12]}"] if record.release else []
        parted = [f"part {record.part} of {record.parts}, {_ids(record)}"] if record.parts else []
        packed = map(package_text, record.packages)
        words += map(
            escape,
            (
                *came,
                *packed,
                *parted,
                *urgent,
                *record.overridden,
                *approved,
                *waived,
                *left,
                *accepted,
                *record.problems,
            ),
        )
        tests = f"{record.tests['run']} run, {record.tests['failed']} failed" if record.tests else ""
        table.add_row(
            str(entry.sequence), entry.at, entry.by, "\n".join(words), record.bundle[:12], record.snapshot[:12], tests
        )
    return as_text(table)


def _ids(record: Record) -> str:
    """Return the deployments of a plan in parts, as far as they were asked for."""
    ids = [*(each["deployment"] for each in record.earlier), record.deployment]
    return f"deployments {', '.join(filter(None, ids)) or 'none yet'}"
