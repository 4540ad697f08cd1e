"""`sfoa policy`, `sfoa explain`, `sfoa topology`: what a preview breaks and does, and a picture of what stands."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from infra.explain import as_markdown, as_text, changes
from infra.policy.catalogue import RULES
from infra.policy.model import Severity, Violation, violations
from infra.policy.preview import read_preview, stack_after
from infra.topology.catalogue import Language
from infra.topology.scene import scene_of
from infra.topology.state import export_state, read_state
from infra.topology.svg import as_svg
from kit.console import emit, guarded, json_option
from kit.problems import Exit, Problem, Refused
from kit.redaction import redact
from orgs.federation import load_federation

WHOLE = "to judge all: pulumi preview --json --show-sames > FILE"
PreviewOption = click.option(
    "--preview",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="What `pulumi preview --json` printed.",
)


@click.command()
@PreviewOption
@json_option
@guarded
def policy(preview: Path, as_json: bool) -> None:
    """Hold a previewed stack to the kit's rules; a mandatory rule that it breaks is exit code 1.

    Without --show-sames, a preview leaves out what doesn't change: then only the rest is judged.
    """
    read = read_preview(preview)
    stack = stack_after(read.steps)
    found = violations(RULES, stack)
    stopped = any(violation.rule.severity is Severity.MANDATORY for violation in found)
    status = Exit.REFUSED if stopped else Exit.DONE
    if as_json:
        data = [_as_data(violation) for violation in found]
        result = {"rules": len(RULES), "resources": len(stack.resources), "unseen": read.unseen, "violations": data}
        refused = [item for item in data if item["severity"] == Severity.MANDATORY]
        problems = [_problem(item) for item in refused]
        envelope = {"status": int(status), "result": result, "problems": problems}
        click.echo(redact(json.dumps(envelope, ensure_ascii=False, indent=2)))
    else:
        for violation in found:
            click.echo(redact(_as_text(violation)))
        click.echo(f"{len(RULES)} rules, {len(stack.resources)} resources, {len(found)} violations")
        if read.unseen:
            click.echo(f"Not judged: {read.unseen} unchanged resources, which {preview} leaves out; {WHOLE}", err=True)
    sys.exit(status)


@click.command()
@PreviewOption
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", show_default=True)
@json_option
@guarded
def explain(preview: Path, form: str, as_json: bool) -> None:
    """Say in plain words what a preview will do, with what is dangerous first."""
    found = changes(read_preview(preview).steps)
    text = as_markdown(found) if form == "markdown" else as_text(found)
    result = {"changes": [change.as_json() for change in found], "dangers": sum(bool(c.danger) for c in found)}
    emit(result, as_json=as_json, text=redact(text))


@click.command()
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where the picture goes: FILE.svg."
)
@click.option(
    "--state", type=click.Path(dir_okay=False, path_type=Path), help="What `pulumi stack export` printed; no engine."
)
@click.option("--stack", envvar="SFOA_STACK", help="The stack to export, without --state. Default: $SFOA_STACK.")
@click.option("--federation", type=click.Path(dir_okay=False, path_type=Path), help="Default: orgs/federation.yml.")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@json_option
@guarded
def topology(
    out: Path, state: Path | None, stack: str | None, federation: Path | None, language: Language, as_json: bool
) -> None:
    """Draw a stack's landing zone, the orgs around it and the flows between them, from the stack's state."""
    if not state and not stack:
        rule = "the picture is drawn from a stack's state"
        raise Refused(Problem("neither a state nor a stack is named", rule, "give --state FILE or --stack NAME"))
    pieces = read_state(state) if state else export_state(str(stack))
    scene = scene_of(pieces, load_federation(federation), language)
    try:
        out.write_text(as_svg(scene), encoding="utf-8")
    except OSError as error:
        rule = "the picture is written to a file"
        raise Refused(Problem(f"cannot write {out}: {error.strerror}", rule, "name another file")) from error
    boxes = sum(not box.is_frame for box in scene.boxes)
    result = {"file": str(out), "boxes": boxes, "flows": len(scene.arrows), "not_drawn": list(scene.missing)}
    text = f"{out}: {boxes} boxes, {len(scene.arrows)} flows"
    emit(result, as_json=as_json, text=text + (f"; not drawn: {', '.join(scene.missing)}" if scene.missing else ""))


def _as_text(violation: Violation) -> str:
    rule = violation.rule
    return f"{rule.severity.value} {rule.id} {violation.resource.kind} {violation.resource.name}: {violation.message}"


def _as_data(violation: Violation) -> dict[str, str]:
    rule = violation.rule
    return {
        "rule": rule.id,
        "severity": rule.severity.value,
        "type": violation.resource.kind,
        "name": violation.resource.name,
        "urn": violation.resource.urn,
        "found": violation.found,
        "title": rule.title.en,
        "title_zh": rule.title.zh,
        "fix": rule.fix.en,
        "fix_zh": rule.fix.zh,
        "source": rule.source,
    }


def _problem(item: dict[str, str]) -> dict[str, str]:
    return {
        "what": f"{item['type']} {item['name']}: {item['title']}",
        "rule": f"{item['rule']}, {item['source']}",
        "fix": item["fix"],
        "value": item["found"],
        "what_zh": item["title_zh"],
        "fix_zh": item["fix_zh"],
    }
