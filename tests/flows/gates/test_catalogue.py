"""The catalogue: complete, in both languages, shown by `sfoa gates`, and written down in docs/."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from flows.commands.gates import gates
from flows.gates.catalogue import DOCS, PAGES, Language, page
from flows.gates.finding import DISCLAIMER, checks, rules
from orgs.federation import Power
from tests.flows.gates import test_kit_twins, test_law_twins

TWINS = [*test_law_twins.TWINS, *test_kit_twins.TWINS]
UNKNOWN = [*test_law_twins.UNKNOWN, *test_kit_twins.UNKNOWN]


def test_every_rule_of_the_reading_of_the_law_is_in_the_catalogue() -> None:
    assert [name for name in rules() if name.startswith("R")] == [f"R{number:02}" for number in range(1, 28)]


def test_every_check_is_broken_once_and_has_a_twin() -> None:
    elsewhere = {name for name in checks() if name.startswith("K53.")}  # signatures: see test_approvals
    assert {check for check, _, _ in TWINS} == set(checks()) - elsewhere
    assert len(TWINS) >= 60


def test_every_rule_that_asks_for_facts_says_so_when_they_are_unknown() -> None:
    asking = {rule.id for rule in rules().values() if rule.asks}
    judged_by_another = {"R04", "R06", "R08", "R09", "R12", "R14"}  # the same facts, asked for under the rule before
    assert asking - judged_by_another <= {rule for rule, _ in UNKNOWN}


def test_a_waiver_is_a_power_of_the_federation() -> None:
    assert {rule.waiver for rule in rules().values()} - {""} <= {power.value for power in Power}


@pytest.mark.parametrize("language", list(Language))
def test_the_pages_are_what_the_catalogue_says(language: Language) -> None:
    written = (DOCS / PAGES[language]).read_text(encoding="utf-8")
    assert written == page(language), "python -m flows.gates.catalogue writes them anew"


def test_list_shows_every_rule_in_both_languages() -> None:
    done = CliRunner().invoke(gates, ["list"])
    assert done.exit_code == 0
    for rule in rules().values():
        assert f"  {rule.id}  {rule.title} / {rule.title_zh}" in done.stdout
    assert DISCLAIMER in done.stdout


def test_explain_shows_law_source_and_fix_in_the_language_asked_for() -> None:
    english = CliRunner().invoke(gates, ["explain", "R26.too-late", "--language", "en"]).stdout
    chinese = CliRunner().invoke(gates, ["explain", "r26", "--language", "zh"]).stdout
    assert "国家网络安全事件报告管理办法, Arts. 4, 7, 8" in english
    assert "Nothing here is legal advice" in english
    assert "不构成法律意见" not in english
    assert "网络安全事件限时报告" in chinese
    assert "Nothing here" not in chinese


def test_explain_as_data_has_every_check() -> None:
    answer = json.loads(CliRunner().invoke(gates, ["explain", "K71", "--json"]).stdout)
    assert answer["result"]["rule"]["checks"][0]["id"] == "K71.secret"
    assert answer["result"]["disclaimer"] == DISCLAIMER


def test_the_nought_of_an_id_may_be_left_out() -> None:
    shown = CliRunner().invoke(gates, ["explain", "r7", "--language", "en"]).stdout
    assert shown.startswith("R07 ")


def test_a_rule_that_nobody_knows_is_refused_with_the_nearest() -> None:
    done = CliRunner().invoke(gates, ["explain", "R077"])
    assert done.exit_code == 1
    assert "did you mean" in done.stderr
