"""What must hold between the entries of a federation file, beyond what each entry says for itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from kit.problems import Problem
from kit.yamlfile import YamlFile
from orgs.editions import OrgKind
from orgs.model import Approver, Centre, Federation, Org, ScratchOrg, api_number, nearest

Entry = TypeVar("Entry", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Entries:
    """The valid entries of a file by their position in its lists, and all names that it mentions.

    Taken entry by entry, so that one faulty org doesn't hide what is wrong between the others.
    """

    centres: Mapping[int, Centre]
    approvers: Mapping[int, Approver]
    orgs: Mapping[int, Org]
    scratch_orgs: Mapping[int, ScratchOrg]
    centre_names: frozenset[str]
    approver_names: frozenset[str]
    complete: bool
    named: Mapping[int, Mapping[str, Any]]
    """Every org that is a mapping at all, as the file has it."""


def entries_of(data: Any) -> Entries:
    """Return the valid entries of a parsed federation file, whatever else is wrong with it."""
    lists = data if isinstance(data, dict) else {}
    try:
        Federation.model_validate(data)
        complete = True
    except ValidationError:
        complete = False
    return Entries(
        centres=_valid(Centre, lists.get("centres")),
        approvers=_valid(Approver, lists.get("approvers")),
        orgs=_valid(Org, lists.get("orgs")),
        scratch_orgs=_valid(ScratchOrg, lists.get("scratch_orgs")),
        centre_names=_names(lists.get("centres")),
        approver_names=_names(lists.get("approvers")),
        complete=complete,
        named={at: org for at, org in enumerate(_listed(lists.get("orgs"))) if isinstance(org, dict)},
    )


def inconsistencies(entries: Entries, file: YamlFile, folder: Path) -> list[Problem]:
    """Return what is wrong between `entries`; paths of scratch-org definitions start in `folder`."""
    return list(
        chain(
            _twice(entries, file),
            _unknown_names(entries, file),
            _delegation(entries, file),
            _rings(entries, file),
            _soaks(entries, file),
            _keys(entries, file),
            _api_version(entries, file),
            _definitions(entries, file, folder),
        )
    )


def _twice(entries: Entries, file: YamlFile) -> Iterator[Problem]:
    orgs = entries.orgs.items()
    for section, named in (
        ("centres", entries.centres),
        ("approvers", entries.approvers),
        ("orgs", entries.orgs),
        ("scratch_orgs", entries.scratch_orgs),
    ):
        names: list[tuple[int, str]] = [(at, entry.name) for at, entry in named.items()]
        for at, first in _repeated(names):
            yield Problem(
                f"{section}.{at}.name stands twice, first in {section}.{first}",
                f"each entry of {section} has a name of its own",
                "rename one of them, or remove it",
                file.place((section, at, "name")),
                repr(named[at].name),
            )
    for at, first in _repeated([(at, (org.my_domain, org.sandbox)) for at, org in orgs]):
        yield Problem(
            f"orgs.{at} is the org of orgs.{first}",
            "one org stands once: My Domain and sandbox together name it",
            "correct my_domain or sandbox, or remove one entry",
            file.place(("orgs", at, "my_domain")),
            repr(entries.orgs[at].my_domain),
        )
    for at, first in _repeated([(at, org.runner.username.lower()) for at, org in orgs]):
        yield Problem(
            f"orgs.{at}.runner.username is the one of orgs.{first}",
            "a Salesforce user name belongs to one org (a sandbox appends its name)",
            "give the runner of this org its own user name",
            file.place(("orgs", at, "runner", "username")),
            repr(entries.orgs[at].runner.username),
        )
    for at, first in _repeated([(at, tuple(a.public_key.split()[:2])) for at, a in entries.approvers.items()]):
        yield Problem(
            f"approvers.{at}.public_key is the key of approvers.{first}",
            "an approver's key is theirs alone: else one person could turn two keys",
            "paste this person's own public key",
            file.place(("approvers", at, "public_key")),
        )


def _unknown_names(entries: Entries, file: YamlFile) -> Iterator[Problem]:
    for at, org in entries.named.items():  # also of an org that has other faults: all are told together
        coe, approvers = org.get("coe"), org.get("approvers")
        if isinstance(coe, str) and coe not in entries.centre_names:
            yield _unknown(coe, "centre", entries.centre_names, file, ("orgs", at, "coe"))
        for position, name in enumerate(_listed(approvers)):
            if isinstance(name, str) and name not in entries.approver_names:
                where = ("orgs", at, "approvers", position)
                yield _unknown(name, "approver", entries.approver_names, file, where)
    for at, approver in entries.approvers.items():
        if approver.centre not in entries.centre_names:
            yield _unknown(approver.centre, "centre", entries.centre_names, file, ("approvers", at, "centre"))
    for at, centre in entries.centres.items():
        if centre.delegated_by is not None and centre.delegated_by not in entries.centre_names:
            key = ("centres", at, "delegated_by")
            yield _unknown(centre.delegated_by, "centre", entries.centre_names, file, key)


def _delegation(entries: Entries, file: YamlFile) -> Iterator[Problem]:
    by_name = {centre.name: centre for centre in entries.centres.values()}
    for at, centre in entries.centres.items():
        source = by_name.get(centre.delegated_by or "")
        if source is None:
            continue
        if source.delegated_by is not None:
            yield Problem(
                f"centres.{at}.delegated_by: {source.name} holds its own powers by delegation",
                "powers are delegated once, by headquarters",
                "name the centre that delegated them first",
                file.place(("centres", at, "delegated_by")),
                repr(source.name),
            )
        beyond = sorted(centre.powers - source.powers)
        if beyond:
            yield Problem(
                f"centres.{at}.powers: {source.name} does not hold {', '.join(beyond)}",
                "nobody delegates a power that they do not hold",
                f"remove it here, or give it to {source.name}",
                file.place(("centres", at, "powers")),
            )


def _rings(entries: Entries, file: YamlFile) -> Iterator[Problem]:
    for org in entries.orgs.values():
        if org.kind is not OrgKind.PRODUCTION:
            continue
        for other_at, other in entries.orgs.items():
            if other.edition == org.edition and other.kind is OrgKind.SANDBOX and other.ring >= org.ring:
                yield Problem(
                    f"orgs.{other_at}.ring: {other.name} comes no earlier than {org.name} (ring {org.ring})",
                    "within an edition, every sandbox has a lower ring than production",
                    f"set a ring below {org.ring}, or raise the ring of {org.name}",
                    file.place(("orgs", other_at, "ring")),
                    str(other.ring),
                )
    rings = sorted({org.ring for org in entries.orgs.values()})
    if entries.complete and rings != list(range(1, len(rings) + 1)):
        missing = min(set(range(1, rings[-1] + 1)) - set(rings))
        at = next(at for at, org in entries.orgs.items() if org.ring > missing)
        yield Problem(
            f"orgs: no org is in ring {missing}",
            "rings count from 1 without a gap",
            "number the rings anew",
            file.place(("orgs", at, "ring")),
            ", ".join(map(str, rings)),
        )


def _soaks(entries: Entries, file: YamlFile) -> Iterator[Problem]:
    soaks = file.data.get("soak_hours") if isinstance(file.data, dict) else None
    rings = sorted({org.ring for org in entries.orgs.values()})
    if not entries.complete or not isinstance(soaks, dict):
        return
    for ring in soaks:
        if ring not in rings:
            yield Problem(
                f"soak_hours: no org is in ring {ring}",
                "a release soaks in the rings that there are",
                f"name one of the rings {', '.join(map(str, rings))}, or remove the line",
                file.place(("soak_hours", str(ring))),
                str(ring),
            )


def _keys(entries: Entries, file: YamlFile) -> Iterator[Problem]:
    for at, org in entries.orgs.items():
        if org.kind is OrgKind.PRODUCTION and len(set(org.approvers)) < 2:
            yield Problem(
                f"orgs.{at}.approvers: {org.name} has fewer than two approvers",
                "a production org has at least two, so that nobody approves their own plan",
                "name a second person",
                file.place(("orgs", at, "approvers")),
            )


def _api_version(entries: Entries, file: YamlFile) -> Iterator[Problem]:
    version = file.data.get("api_version") if isinstance(file.data, dict) else None
    if not entries.complete or not isinstance(version, str):
        return
    for at, org in entries.orgs.items():
        if api_number(version) < api_number(org.api_version_floor):
            yield Problem(
                f"orgs.{at}.api_version_floor: bundles are deployed with {version}",
                "the federation's api_version is no lower than the floor of any org",
                f"raise api_version to {org.api_version_floor}, or lower this floor",
                file.place(("orgs", at, "api_version_floor")),
                repr(org.api_version_floor),
            )


def _definitions(entries: Entries, file: YamlFile, folder: Path) -> Iterator[Problem]:
    for at, scratch in entries.scratch_orgs.items():
        if not (folder / scratch.definition).is_file():
            yield Problem(
                f"scratch_orgs.{at}.definition: no such file",
                "a scratch-org definition lies where federation.yml says",
                f"create {scratch.definition} beside federation.yml",
                file.place(("scratch_orgs", at, "definition")),
                repr(scratch.definition),
            )


def _unknown(name: str, what: str, known: Iterable[str], file: YamlFile, key: tuple[str | int, ...]) -> Problem:
    dotted = ".".join(map(str, key))
    return Problem(
        f"{dotted}: no {what} has this name",
        f"the name of a {what} of this file",
        nearest(name, known),
        file.place(key),
        repr(name),
    )


def _repeated(values: Iterable[tuple[int, Hashable]]) -> Iterator[tuple[int, int]]:
    """Yield the position of each value that came before, with the position where it came first."""
    places: dict[Hashable, list[int]] = defaultdict(list)
    for at, value in values:
        places[value].append(at)
    for first, *others in places.values():
        for at in others:
            yield at, first


def _listed(items: Any) -> list[Any]:
    return items if isinstance(items, list) else []


def _valid(model: type[Entry], items: Any) -> dict[int, Entry]:
    found: dict[int, Entry] = {}
    for at, item in enumerate(_listed(items)):
        try:
            found[at] = model.model_validate(item)
        except ValidationError:
            continue
    return found


def _names(items: Any) -> frozenset[str]:
    return frozenset(str(item["name"]) for item in _listed(items) if isinstance(item, dict) and "name" in item)
