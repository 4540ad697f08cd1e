"""Which records of an object were deleted or changed in a span of time, as replicating clients ask.

Source: REST API Developer Guide, "sObject Get Deleted", "Get a List of Deleted Records Within a Given Timeframe" (60.0,
65.0, excerpts read 2026-11-22): the seconds of the span are ignored; deletions are told for 15 days. That a span is of
a minute at least, and the 30 days of what was updated: from knowledge.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from emulators.http import Response
from emulators.salesforce.catalog import stamp
from emulators.salesforce.context import Context
from emulators.salesforce.errors import RestError
from emulators.salesforce.schema import ObjectType
from emulators.salesforce.soql_compare import instant

_DAY = 24 * 60 * 60
_DELETED_SECONDS, _UPDATED_SECONDS = 15 * _DAY, 30 * _DAY


def deleted(ctx: Context, obj: ObjectType) -> Response:
    """Answer the ids of what was deleted between `start` and `end`, and when. Raises `RestError`."""
    start, end = _span(ctx, _DELETED_SECONDS)
    found = [
        {"deletedDate": row["LastModifiedDate"], "id": row["Id"]}
        for row in _within(ctx, obj, start, end)
        if row.get("IsDeleted")
    ]
    earliest = stamp(_minute(ctx.world.now() - _DELETED_SECONDS))
    return Response.of_json(
        {"deletedRecords": found, "earliestDateAvailable": earliest, "latestDateCovered": stamp(end)}
    )


def updated(ctx: Context, obj: ObjectType) -> Response:
    """Answer the ids of what was created or changed between `start` and `end`. Raises `RestError`."""
    start, end = _span(ctx, _UPDATED_SECONDS)
    found = [row["Id"] for row in _within(ctx, obj, start, end) if not row.get("IsDeleted")]
    return Response.of_json({"ids": found, "latestDateCovered": stamp(end)})


def _within(ctx: Context, obj: ObjectType, start: float, end: float) -> Iterator[dict[str, Any]]:
    for row in ctx.records.rows(obj, deleted=True):
        moment = row.get("LastModifiedDate")
        if moment and start <= instant(str(moment)).timestamp() < end:
            yield row


def _span(ctx: Context, most: float) -> tuple[float, float]:
    """Return the span that is asked for, in whole minutes, no further back than `most` seconds."""
    now = ctx.world.now()
    try:
        start, end = (_minute(_moment(ctx.request.query[name])) for name in ("start", "end"))
    except KeyError as missing:
        raise RestError(400, "MISSING_ARGUMENT", f"The parameter {missing.args[0]} is required") from None
    except ValueError as wrong:
        raise RestError(400, "INVALID_REPLICATION_DATE", f"start and end are dates with a time: {wrong}") from None
    if start >= end:
        raise RestError(400, "INVALID_REPLICATION_DATE", "startDate must be more than a minute before endDate")
    # The minute that is not over yet is covered: the emulator's own clock tells what happened in it.
    return max(start, now - most), min(end, _minute(now) + 60)


def _moment(text: str) -> float:
    # A plus sign that a client left as it is comes out of the query as a space.
    found = datetime.fromisoformat(text.strip().replace(" ", "+"))
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _minute(seconds: float) -> float:
    return seconds - seconds % 60
