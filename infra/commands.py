"""`sfoa policy` and `sfoa explain`: what a preview breaks, and what it will do. Neither needs the engine."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from infra.explain import as_markdown, as_text, changes
from infra.policy.catalogue import RULES
from infra.policy.model import Severity, Violation, violations
from infra.policy.preview import read_preview, stack_after
from kit.console import emit, guarded, json_option
from kit.problems import Exit
from kit.redaction import redact

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
    """Hold a previewed stack to the kit's rules; a mandatory rule that it breaks is exit code 1."""
    stack = stack_after(read_preview(preview))
    found = violations(RULES, stack)
    stopped = any(violation.rule.severity is Severity.MANDATORY for violation in found)
    status = Exit.REFUSED if stopped else Exit.DONE
    if as_json:
        data = [_as_data(violation) for violation in found]
        result = {"rules": len(RULES), "resources": len(stack.resources), "violations": data}
        refused = [item for item in data if item["severity"] == Severity.MANDATORY]
        problems = [_problem(item) for item in refused]
        envelope = {"status": int(status), "result": result, "problems": problems}
        click.echo(redact(json.dumps(envelope, ensure_ascii=False, indent=2)))
    else:
        for violation in found:
            click.echo(redact(_as_text(violation)))
        click.echo(f"{len(RULES)} rules, {len(stack.resources)} resources, {len(found)} violations")
    sys.exit(status)


@click.command()
@PreviewOption
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", show_default=True)
@json_option
@guarded
def explain(preview: Path, form: str, as_json: bool) -> None:
    """Say in plain words what a preview will do, with what is dangerous first."""
    found = changes(read_preview(preview))
    text = as_markdown(found) if form == "markdown" else as_text(found)
    result = {"changes": [change.as_json() for change in found], "dangers": sum(bool(c.danger) for c in found)}
    emit(result, as_json=as_json, text=redact(text))


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
