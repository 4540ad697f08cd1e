"""Which orgs a change reaches: those that get something else than before. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flows.bundle import Bundle
from flows.components import ComponentKey
from orgs.federation import Federation, Org

SHARED = ("cumulusci.yml", "orgs/cross-border.yml", "orgs/partners.yml", "orgs/waivers.yml")
"""Files that say how every org is released to (flows, dependencies), and by which gates judge what it gets."""

RENDERED_FROM = ("orgs/access.yml",)
"""Files that components are rendered from, for the orgs with parts of the landing zone."""

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Source:
    """What one commit, or the work tree, gives the orgs: the federation, each org's bundle by name, and the content of
    the files that bundles don't show, by path; an absent file is absent there too."""

    federation: Federation
    bundles: Mapping[str, Bundle]
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Reached:
    """An org that a change reaches, and why: the components that it creates, changes and deletes there, and in words
    what else differs."""

    org: Org
    created: tuple[ComponentKey, ...] = ()
    changed: tuple[ComponentKey, ...] = ()
    deleted: tuple[ComponentKey, ...] = ()
    besides: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why the org is reached, in one line."""
        verbs = (("creates", self.created), ("changes", self.changed), ("deletes", self.deleted))
        parts = [f"{verb} {_names(keys)}" for verb, keys in verbs if keys]
        return "; ".join((*self.besides, *parts))


def reached(now: Source, before: Source | None, why_all: str = "no revision to compare with") -> tuple[Reached, ...]:
    """Return the orgs that the step from `before` to `now` reaches, in the order in which they are promoted.

    Without `before` nothing can be compared: then all are, because of `why_all`. An org that the federation lost is
    reached by nothing any more.
    """
    orgs = sorted(now.federation.orgs, key=lambda org: org.ring)
    if before is None:
        return tuple(Reached(org, besides=(why_all,)) for org in orgs)
    found = (_reach(org, now, before) for org in orgs)
    return tuple(each for each in found if each.reason)


def _reach(org: Org, now: Source, before: Source) -> Reached:
    then = next((each for each in before.federation.orgs if each.name == org.name), None)
    if then is None:
        return Reached(org, besides=("is new to the federation",))
    new, old = now.bundles[org.name], before.bundles[org.name]
    return Reached(
        org,
        created=tuple(key for key in new.components if key not in old.components),
        changed=tuple(
            key
            for key, component in new.components.items()
            if key in old.components and component.digest != old.components[key].digest
        ),
        deleted=tuple(key for key in old.components if key not in new.components),
        besides=tuple(_besides(org, then, now, before)),
    )


def _besides(org: Org, then: Org, now: Source, before: Source) -> Iterator[str]:
    if org != then:
        yield "its entry in orgs/federation.yml differs"
    if now.bundles[org.name].api_version != before.bundles[org.name].api_version:
        yield "the API version differs"
    for field in ("strategy", "hub"):
        if getattr(now.federation, field) != getattr(before.federation, field):
            yield f"the federation's {field} differs"
    watched = (*SHARED, facts_of(org), *(RENDERED_FROM if org.parts else ()))
    yield from (f"{file} differs" for file in watched if now.files.get(file) != before.files.get(file))


def facts_of(org: Org) -> str:
    """Return the file of facts that people stated of an org, from the project's root."""
    return f"orgs/facts/{org.name}.yml"


def watched_files(federation: Federation) -> tuple[str, ...]:
    """Return the files that a `Source` has to bring along, if they are there."""
    return (*SHARED, *RENDERED_FROM, *map(facts_of, federation.orgs))


def _names(keys: tuple[ComponentKey, ...]) -> str:
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return ", ".join(map(str, keys[:_SHOWN])) + more
