"""Whether someone changed by hand, in the org, what a run is about to overwrite; and what exactly: three-way.

Base is what the kit last shipped, theirs what the org holds, ours what the run brings. Only what differs between base
and theirs, and isn't as ours anyway, is a conflict: overwriting it would lose something. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from functools import cache
from pathlib import Path

from flows.components import Component, ComponentKey
from flows.drift import compare_components
from flows.drift_report import SHOWN
from flows.elements import Difference
from flows.failures import PromotionFailed
from flows.plan import Plan, State
from flows.render.network import SECURITY, dropped
from flows.snapshot import components_of
from kit.problems import Place, Problem
from kit.redaction import redact
from kit.yamlfile import read_yaml

RULES = Path(__file__).with_name("retrieve_rules.yml")
CHANGED, DELETED = "was changed in the org by hand", "was deleted in the org by hand"
NOTHING = "nothing"
DIFF_LINES = 40
"""Lines at most that people are shown of each difference of a file of code."""


class Conflict(PromotionFailed):
    """The org holds components that were changed by hand, and nobody agreed to overwrite them."""


@dataclass(frozen=True, slots=True)
class Side:
    """One element or file: as it was last shipped (`base`), in the org (`theirs`), in this run (`ours`); "" where it
    is not. Secrets are masked. `place` is where the source of this run says so."""

    path: str
    base: str
    theirs: str
    ours: str
    place: Place | None = None

    def __str__(self) -> str:
        base, theirs, ours = (_quoted(text) for text in (self.base, self.theirs, self.ours))
        return f"{self.path}: {base} was shipped, {theirs} is in the org, {ours} would replace it"


@dataclass(frozen=True, slots=True)
class Clash:
    """A component that somebody changed by hand and a run would overwrite. `sides` are what differs in it; `diffs`
    are two unified differences for each file of code: last shipped against the org, and against this run."""

    key: ComponentKey
    what: str
    sides: tuple[Side, ...] = ()
    diffs: tuple[str, ...] = ()
    place: Place | None = None

    def __str__(self) -> str:
        """Return it for people, in lines."""
        sides = [f"    {side}" for side in self.sides if not self._is_code(side)]
        return "\n".join([f"{self.key} {self.what}", *sides, *self.diffs])

    @property
    def sentence(self) -> str:
        """All of it in one line; of code only which file it is."""
        sides = (f"{each.path} has other code" if self._is_code(each) else str(each) for each in self.sides)
        return "; ".join([f"{self.key}: {self.what}", *sides])

    def _is_code(self, side: Side) -> bool:
        return any(f"--- {side.path} (" in diff for diff in self.diffs)

    def as_json(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "component": str(self.key),
            "what": self.what,
            "elements": [
                {"path": each.path, "base": each.base, "theirs": each.theirs, "ours": each.ours} for each in self.sides
            ],
            "diffs": list(self.diffs),
        }


def changed_by_hand(plan: Plan, held: State, now: Mapping[ComponentKey, Component]) -> dict[ComponentKey, str]:
    """Return what the plan touches of which the org holds something else than it gave back after the last run that
    changed it, and what happened to it. `held` is that, `now` what the org gives back now.

    What was never shipped, or never looked at, has nothing to be compared with. What is gone anyway may be deleted.
    """
    found = {}
    for key in (*plan.touched, *plan.deletes):
        if key not in held or key.type in _depends_on_context():
            continue
        if key not in now:
            if key not in plan.deletes:
                found[key] = DELETED
        elif now[key].digest != held[key]:
            found[key] = CHANGED
    return dict(sorted(found.items()))


def conflicts_of(
    changed: Mapping[ComponentKey, str],
    base: Mapping[ComponentKey, Component],
    files: Mapping[str, bytes],
    ours: Mapping[ComponentKey, Component],
) -> dict[ComponentKey, Clash]:
    """Return which of the components `changed` by hand would lose something. `files` are those of a retrieve of them,
    `ours` what the run brings; what isn't in it is deleted. Without a `base`, all that differs from ours counts."""
    clashes = (_clash(key, what, base.get(key), files, ours.get(key)) for key, what in changed.items())
    return {clash.key: clash for clash in clashes if clash}


def _clash(
    key: ComponentKey, what: str, base: Component | None, files: Mapping[str, bytes], ours: Component | None
) -> Clash | None:
    place = ours.source if ours else base.source if base else None
    if what == DELETED:
        return Clash(key, what, place=place)
    if lost := _lost_ranges(key, files, ours):
        return Clash(key, what, lost, place=place)
    by_hand, undone = _differences(base, files), _differences(ours, files)
    if (ours and not undone) or (base and not by_hand):
        return None  # it holds what we bring anyway, or only what Salesforce itself rewrites
    if base and ours:
        by_hand = [each for each in by_hand if any(_meet(each[0].path, other[0].path) for other in undone)]
        if not by_hand:
            return None
    sides = tuple(_sides(by_hand if base else undone, undone, has_base=base is not None, deleted=ours is None))
    return Clash(key, what, sides, tuple(_diffs(base, files, ours)), place)


def _lost_ranges(key: ComponentKey, files: Mapping[str, bytes], ours: Component | None) -> tuple[Side, ...]:
    """Return the trusted ranges that somebody put into the org after this run was merged with what it had, or that a
    rollback goes behind: the list is replaced as a whole."""
    if key != SECURITY or ours is None:
        return ()
    lost = dropped(ours, components_of(files, [key]).get(key))
    return tuple(Side(f"networkAccess/ipRanges[{each.start}, {each.end}]", "", str(each), "") for each in lost)


Found = Sequence[tuple[Difference, Place]]


def _differences(component: Component | None, files: Mapping[str, bytes]) -> Found:
    if component is None:
        return []
    return [(each.difference, each.place) for one in compare_components([component], files) for each in one.elements]


def _sides(by_hand: Found, undone: Found, *, has_base: bool, deleted: bool) -> Iterator[Side]:
    """Yield what differs by path; the same path stands in both comparisons for what the org holds there."""
    for each, place in by_hand:
        other = next(((d, p) for d, p in undone if d.path == each.path), None)
        if other is None:  # an element above or below it differs: our own side of it is there
            other = next(((d, p) for d, p in undone if _meet(d.path, each.path)), None)
        ours = "" if deleted or other is None else other[0].shipped
        base = each.shipped if has_base else ""
        yield Side(
            _SPOT.sub("", each.path), redact(base), redact(each.found), redact(ours), other[1] if other else place
        )


_SPOT = re.compile(r" line \d+$")


def _meet(one: str, other: str) -> bool:
    """Return whether one path is the other, or leads into it."""
    one, other = _SPOT.sub("", one), _SPOT.sub("", other)
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _diffs(base: Component | None, files: Mapping[str, bytes], ours: Component | None) -> Iterator[str]:
    for file in base.files if base else ():
        was, is_now = _code(file.data), _code(files.get(file.path, b""))
        if not was or was == is_now:
            continue
        yield _diff(file.path, was, is_now, "in the org")
        new = next((_code(each.data) for each in ours.files if each.path == file.path), []) if ours else []
        yield _diff(file.path, was, new, "this run")


def _code(data: bytes) -> list[str]:
    """Return the lines of a file of code; nothing of XML, which is compared by element, and of what is no text."""
    if data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<?xml"):
        return []
    try:
        return redact(data.decode().replace("\r\n", "\n")).splitlines()
    except UnicodeDecodeError:
        return []


def _diff(path: str, was: list[str], new: list[str], name: str) -> str:
    lines = [
        f"    {line}".rstrip()
        for line in unified_diff(was, new, f"{path} (last shipped)", f"{path} ({name})", "", "", 1, "")
    ]
    rest = len(lines) - DIFF_LINES
    return "\n".join(lines[:DIFF_LINES] + ([f"    … and {rest} more lines"] if rest > 0 else []))


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= SHOWN else line[: SHOWN - 1] + "…") if line else NOTHING


def problems_of(clashes: Iterable[Clash]) -> list[Problem]:
    """Return conflicts as problems, one for each component."""
    some = list(clashes)
    names = ",".join(str(each.key) for each in some)
    return [
        Problem(
            each.sentence,
            "a run overwrites only what the kit itself brought to the org",
            f"bring the change home first, or agree to lose it: accept_overwrite {names}",
            next((side.place for side in each.sides if side.place), each.place),
        )
        for each in some
    ]


def refuse_conflicts(conflicts: Mapping[ComponentKey, Clash], accepted: Collection[ComponentKey], org: str) -> None:
    """Raise `Conflict` with every conflict that isn't accepted."""
    left = [clash for key, clash in conflicts.items() if key not in accepted]
    if not left:
        return
    names = ",".join(str(each.key) for each in left)
    raise Conflict(
        problems_of(left),
        f"{org} was changed by hand where this run would write: {len(left)} of its components. Nothing was deployed. "
        f"To overwrite them, name them: accept_overwrite {names}",
    )


@cache
def _depends_on_context() -> frozenset[str]:
    return frozenset(read_yaml(RULES).data["depends_on_what_else_is_retrieved"])
