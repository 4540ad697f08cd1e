"""A drift in the forms that people, machines and code hosts read: text, JSON, problems, SARIF."""

from __future__ import annotations

from flows.drift import Drift, Drifted, Element, What
from flows.elements import Difference, How
from flows.metadata_results import FileProperties
from flows.project import MARK
from flows.sarif import Level, Result, Rule, sarif
from kit.problems import Place, Problem
from kit.redaction import redact

SHOWN = 80
"""Characters at most of a value in a line for people."""

RULES = {
    What.CHANGED: Rule(
        "drift/changed",
        "An element of a shipped component was changed by hand in the org.",
        "Take the change home into the source, or promote again to undo it.",
        Level.ERROR,
    ),
    What.MISSING: Rule(
        "drift/missing",
        "A shipped component is missing in the org.",
        "Remove it from the source, or promote again after a change to it.",
        Level.ERROR,
    ),
}
UNMANAGED = Rule(
    "drift/unmanaged",
    "The org holds a component of a type that is shipped, which nobody shipped.",
    "Take it home into the source if it is to stay; else delete it in the org.",
    Level.NOTE,
)


def as_json(drift: Drift) -> dict[str, object]:
    """Return the drift as plain data, as `schemas/drift.schema.json` describes it."""
    return {
        "org": drift.org,
        "entry": drift.entry or None,
        "bundle": drift.bundle or None,
        "checked": drift.checked,
        "drifted": [_drifted(each) for each in drift.drifted],
        "unmanaged": [
            {"component": _name(each), "changed_by": each.changed_by, "changed_at": each.changed_at}
            for each in drift.unmanaged
        ],
        "not_listed": list(drift.not_listed),
    }


def problems_of(drift: Drift) -> list[Problem]:
    """Return what drifted as problems, one for each component; unmanaged components are none."""
    problems = []
    for each in drift.drifted:
        rule = RULES[each.what]
        words = (
            f"{drift.org}: {each.component.key} was changed by hand"
            if each.elements
            else (f"{drift.org}: {each.component.key} is missing")
        )
        what = "; ".join([words, *(sentence(element.difference) for element in each.elements)])
        place = each.elements[0].place if each.elements else each.component.source
        problems.append(Problem(what, "the org holds what the ledger says", rule.help, place))
    return problems


def as_text(drift: Drift) -> str:
    """Return the drift for people."""
    if not drift.entry:
        return f"{drift.org}: nothing was ever promoted to it, so there is nothing to compare"
    against = f"entry {drift.entry} of the ledger (bundle {drift.bundle[:12]})"
    lines = [f"{drift.org}: {drift.checked} components compared with {against}: {_verdict(drift)}"]
    for each in drift.drifted:
        by = f" by {each.changed_by}, {each.changed_at}" if each.changed_by else ""
        lines += ["", f"{each.what}{by}: {each.component.key}"]
        if each.elements:
            lines += [f"    {sentence(e.difference)}\n        {e.place}" for e in each.elements]
        else:
            lines.append(f"        {each.component.source}")
    if drift.unmanaged:
        lines += ["", f"unmanaged, never shipped: {len(drift.unmanaged)}"]
        lines += [f"    {_name(each)}, by {each.changed_by}, {each.changed_at}" for each in drift.unmanaged]
    if drift.not_listed:
        lines += ["", f"additions are not looked for in folders: {', '.join(drift.not_listed)}"]
    return "\n".join(lines)


def as_sarif(drift: Drift) -> dict[str, object]:
    """Return the drift as a SARIF log: a result for each element. Who changed it is left out: such files travel."""
    results = []
    for each in drift.drifted:
        name = f"{drift.org}/{each.component.key}"
        rule = RULES[each.what]
        if each.what is What.MISSING:
            results.append(Result(rule, f"{drift.org}: {each.component.key} is missing", name, each.component.source))
        for element in each.elements:
            message = f"{drift.org}: {each.component.key}: {sentence(element.difference)}"
            results.append(Result(rule, message, f"{name}/{element.difference.path}", element.place))
    for addition in drift.unmanaged:
        message = f"{drift.org}: {_name(addition)} is there, and nobody shipped it"
        # No source speaks of it, but code hosts show only what points into a file.
        results.append(Result(UNMANAGED, message, f"{drift.org}/{_name(addition)}", Place(MARK)))
    return sarif(results, (*RULES.values(), UNMANAGED))


def sentence(difference: Difference, before: str = "was shipped", after: str = "found") -> str:
    """Return one difference in words: "label: 'Rating' was shipped, 'Grade' found"."""
    shipped, found = _short(difference.shipped), _short(difference.found)
    if difference.how is How.ADDED:
        return f"{difference.path} was added" + (f": {found}" if found else "")
    if difference.how is How.MISSING:
        return f"{difference.path} is missing" + (f": {shipped}" if shipped else "")
    if difference.how is How.MOVED:
        return f"{difference.path} stand in another order: {found}"
    return f"{difference.path}: {shipped!r} {before}, {found!r} {after}"


def _drifted(each: Drifted) -> dict[str, object]:
    return {
        "component": str(each.component.key),
        "what": each.what.value,
        "layer": each.component.layer,
        "file": each.component.source.file,
        "line": each.component.source.line,
        "changed_by": each.changed_by,
        "changed_at": each.changed_at,
        "elements": [_element(element) for element in each.elements],
    }


def _element(element: Element) -> dict[str, object]:
    return {
        "path": element.difference.path,
        "how": element.difference.how.value,
        "shipped": redact(element.difference.shipped),
        "found": redact(element.difference.found),
        "file": element.place.file,
        "line": element.place.line,
    }


def _verdict(drift: Drift) -> str:
    if drift.clean:
        return "no drift"
    changed = sum(each.what is What.CHANGED for each in drift.drifted)
    return f"{changed} changed by hand, {len(drift.drifted) - changed} missing"


def _name(listed: FileProperties) -> str:
    return f"{listed.type}:{listed.full_name}"


def _short(text: str) -> str:
    line = " ".join(redact(text).split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
