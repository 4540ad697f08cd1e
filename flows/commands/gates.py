"""`sfoa gates`: the catalogue of what the gates ask, with law, source and fix."""

from __future__ import annotations

import click

from flows.gates import catalogue
from flows.gates.catalogue import Language
from flows.gates.finding import DISCLAIMER, rules
from kit.console import emit, guarded, json_option

_language = click.option(
    "--language", type=click.Choice([language.value for language in Language]), help="One language; default: both."
)


@click.group()
def gates() -> None:
    """The rules that the gates judge a release by. No legal advice."""


@gates.command("list")
@_language
@json_option
@guarded
def list_rules(language: str | None, as_json: bool) -> None:
    """Show every rule, by family."""
    result = {"disclaimer": DISCLAIMER, "rules": [catalogue.as_json(rule) for rule in rules().values()]}
    emit(result, as_json=as_json, text="" if as_json else catalogue.listing(_chosen(language)))


@gates.command("explain")
@click.argument("rule", metavar="RULE")
@_language
@json_option
@guarded
def explain_rule(rule: str, language: str | None, as_json: bool) -> None:
    """Show a rule (R07), its law, its source, the facts that it asks for, and the fix."""
    one = catalogue.rule_of(rule)
    text = "\n\n".join(catalogue.explain(one, each) for each in _chosen(language))
    emit({"disclaimer": DISCLAIMER, "rule": catalogue.as_json(one)}, as_json=as_json, text=text)


def _chosen(language: str | None) -> list[Language]:
    return [Language(language)] if language else list(Language)
