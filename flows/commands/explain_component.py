"""`sfoa explain-component`: which layer and file of a component an org gets, and why. Needs neither org nor cloud."""

from __future__ import annotations

import click

from flows.components import ComponentKey
from flows.compose import read_layers
from flows.drift_report import sentence
from flows.explain import Deed, Explanation, Step, explain
from flows.project import federation_of, project_root
from flows.source.project import read_project
from kit.console import emit, guarded, json_option


@click.command("explain-component")
@click.argument("type_name", metavar="TYPE")
@click.argument("full_name", metavar="NAME")
@click.option("--org", "org_name", metavar="NAME", required=True, help="An org of the federation.")
@json_option
@guarded
def explain_component(type_name: str, full_name: str, org_name: str, as_json: bool) -> None:
    """Show which layer and file of a component an org gets, what they replaced, and what was removed and why."""
    root = project_root()
    org = federation_of(root).org(org_name)
    layers = read_layers(read_project(root), org.overlays)
    explanation = explain(layers, ComponentKey(type_name, full_name), org.name)
    emit(_data(explanation, org.name), as_json=as_json, text="" if as_json else _text(explanation, org.name))


def _data(explanation: Explanation, org: str) -> dict[str, object]:
    winner = explanation.winner
    return {
        "org": org,
        "component": str(explanation.key),
        "winner": None
        if winner is None
        else {
            "layer": winner.layer,
            "file": winner.source.file,
            "line": winner.source.line,
            "digest": winner.digest,
            "patches": [
                {"layer": patch.layer, "file": patch.source.file, "line": patch.source.line} for patch in winner.patches
            ],
        },
        "layers": [_deed(deed) for deed in explanation.deeds],
    }


def _deed(deed: Deed) -> dict[str, object]:
    data: dict[str, object] = {
        "layer": deed.layer,
        "step": deed.step.value,
        "file": deed.place.file,
        "line": deed.place.line,
        "changes": [sentence(change.difference, "before", "now") for change in deed.changes],
    }
    if deed.by:
        data |= {"reason": deed.reason, "removed": str(deed.by)}
    return data


def _text(explanation: Explanation, org: str) -> str:
    winner = explanation.winner
    if winner:
        head = f"{org} gets {explanation.key} of the layer {winner.layer}: {winner.source}"
        head += "".join(f", patched by {patch.layer}: {patch.source}" for patch in winner.patches)
    else:
        head = f"{org} doesn't get {explanation.key}"
    lines = [head]
    for deed in explanation.deeds:
        lines.append(f"  {deed.layer} {deed.step} it: {deed.place}")
        if deed.step is Step.REMOVES:
            along = f" (with {deed.by})" if deed.by != explanation.key else ""
            lines.append(f"      reason: {deed.reason}{along}")
        lines += [f"      {sentence(change.difference, 'before', 'now')}" for change in deed.changes]
    return "\n".join(lines)
