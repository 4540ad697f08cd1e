"""Carries the table out: each operation of each client against each org, and whether what it did is real."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import requests
import yaml

from tests.clients.adapters import CLIENTS, Failed, closing
from tests.clients.node import NotAvailable
from tests.clients.stage import Column, Stage

HERE = Path(__file__).parent
Mark = Literal["passed", "failed", "not run"]


@dataclass(frozen=True)
class Operation:
    """A row of the table: what a client is asked (`run`), and what proves that it was done.

    `production` holds what is otherwise there.
    """

    client: str
    name: str
    run: Any
    expect: dict[str, Any] = field(default_factory=dict)
    proof: dict[str, Any] = field(default_factory=dict)
    keep: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    refused: str = ""
    production: dict[str, Any] = field(default_factory=dict)
    short: bool = False
    slow: bool = False


@dataclass(frozen=True)
class Outcome:
    """How an operation ended with one org. `why` says it where it did not pass."""

    operation: Operation
    org: str
    mark: Mark
    why: str = ""
    seconds: float = 0.0


@cache
def operations() -> tuple[Operation, ...]:
    """Return the table, in the order in which it is carried out: later rows build on earlier ones."""
    table = yaml.safe_load((HERE / "matrix.yml").read_text(encoding="utf-8"))
    return tuple(Operation(client, **row) for client, rows in table.items() for row in rows)


def carry_out(
    stage: Stage, client: str, chosen: tuple[Operation, ...], told: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Run operations of one client against every org of the stage, and return how each ended."""
    outcomes = []
    for column in stage.columns:
        for outcome in _with(stage, client, column, chosen):
            told(outcome)
            outcomes.append(outcome)
    return outcomes


def _with(stage: Stage, client: str, column: Column, chosen: tuple[Operation, ...]) -> Iterator[Outcome]:
    try:
        made = CLIENTS[client](stage, column)
    except NotAvailable as missing:
        yield from (Outcome(each, column.name, "not run", str(missing)) for each in chosen)
        return
    folder = stage.project(client, column)
    kept = {
        "org": column.name,
        "user": column.org.runner.username,
        "client_id": column.org.runner.client_id,
        "url": column.session.url,
        "host": column.session.host,
        "audience": column.audience,
        "token": column.session.token,
        "identity": column.session.identity,
        "key": str(column.key_file),
        "key_text": column.key_file.read_text(encoding="utf-8"),
        "user_id": column.session.identity.rpartition("/")[2],
    }
    with closing(made) as at_work:
        for each in chosen:
            started = time.monotonic()
            stage.deploys_take(column, 60.0 if each.slow else 0.0)
            why = _problem(_for(column, each), at_work, column, kept, folder)
            mark: Mark = "failed" if why else "passed"
            yield Outcome(each, column.name, mark, why, time.monotonic() - started)


def _for(column: Column, each: Operation) -> Operation:
    return each if column.is_sandbox else replace(each, **each.production)


def _problem(each: Operation, client: Any, column: Column, kept: dict[str, str], folder: Path) -> str:
    """Carry out one operation and return what is wrong, "" for nothing."""
    try:
        answer = client.call(filled(each.run, kept), filled(each.environment, kept))
    except KeyError as missing:
        return f"an earlier operation did not give {missing}"
    except Failed as why:
        text = " ".join(str(why).split())
        if not each.refused:
            return text
        if not re.search(each.refused, text):
            return f"refused with other words: {text}"
        return "; ".join(_disproved(column, filled(each.proof, kept)))
    if each.refused:
        return "it was not refused"
    wrong = [
        problem for path, wanted in filled(each.expect, kept).items() if (problem := _differs(answer, path, wanted))
    ]
    for name, path in each.keep.items():
        kept[name] = str(_at(answer, path))
    for pattern, inside in each.files.items():
        found = [path.read_text(encoding="utf-8") for path in folder.glob(pattern)]
        if not any(re.search(inside, text) for text in found):
            wrong.append(f"there is no file {pattern} with {inside!r}" if found else f"there is no file {pattern}")
    wrong += _disproved(column, filled(each.proof, kept))
    return "; ".join(wrong)


def filled(value: Any, kept: Mapping[str, str]) -> Any:
    """Return a part of a row with each `<name>` replaced by what was kept under it.

    `like` stays as it is: it is matched against XML, whose elements look like names. Raises KeyError for a name under
    which nothing was kept.
    """
    if isinstance(value, dict):
        return {key: inner if key == "like" else filled(inner, kept) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, kept) for inner in value]
    return re.sub(r"<(\w+)>", lambda found: kept[found.group(1)], value) if isinstance(value, str) else value


def _differs(answer: Any, path: str, wanted: Any) -> str:
    try:
        found = _at(answer, path)
    except (KeyError, IndexError, TypeError, ValueError):
        return f"{path} is missing in {str(answer)[:300]}"
    if isinstance(wanted, str) and wanted.startswith("~"):
        return "" if re.search(wanted[1:], str(found)) else f"{path} is {str(found)[-300:]!r}, not like {wanted[1:]!r}"
    return "" if found == wanted else f"{path} is {str(found)[:300]!r}, not {wanted!r}"


def _at(answer: Any, path: str) -> Any:
    """Return the value at a dotted path; a last part `#` is the length, `.` is the answer itself."""
    for part in filter(None, path.split(".")):
        answer = len(answer) if part == "#" else answer[int(part) if isinstance(answer, list) else part]
    return answer


def _disproved(column: Column, proof: dict[str, Any]) -> list[str]:
    """Ask the org itself, past the client: how many rows a query finds, or what a component looks like."""
    if not proof:
        return []
    if "read" in proof:
        kind, name = proof["read"].split(" ", 1)
        text = _read(column, kind, name)
        return [] if re.search(proof["like"], text) else [f"{kind} {name} is not like {proof['like']!r}: {text[-600:]}"]
    api = "tooling/" if "tooling" in proof else ""
    url = f"{column.session.url}/services/data/v62.0/{api}query"
    headers = {"Authorization": f"Bearer {column.session.token}"}
    soql = proof.get("tooling") or proof["data"]
    answer = requests.get(url, params={"q": soql}, headers=headers, timeout=30).json()
    if not isinstance(answer, dict):
        return [f"{soql}: {answer[0]['message']}"]
    found = answer["totalSize"]
    return [] if found == proof["rows"] else [f"the org has {found} rows, not {proof['rows']}: {soql}"]


def _read(column: Column, kind: str, name: str) -> str:
    """Return a component as the Metadata API's `readMetadata` answers it, as XML on one line."""
    body = _READ.format(token=column.session.token, kind=kind, name=name)
    headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
    url = f"{column.session.url}/services/Soap/m/62.0"
    return " ".join(requests.post(url, data=body.encode(), headers=headers, timeout=30).text.split())


_READ = """\
<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns="http://soap.sforce.com/2006/04/metadata">
<env:Header><SessionHeader><sessionId>{token}</sessionId></SessionHeader></env:Header>
<env:Body><readMetadata><type>{kind}</type><fullNames>{name}</fullNames></readMetadata></env:Body></env:Envelope>"""
