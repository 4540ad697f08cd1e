"""All gates together: waivers, reports, the shipped sample, and the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from flows.components import ComponentKey
from flows.compose import compose_for
from flows.gates.finding import DISCLAIMER, Finding, Severity, checks, finding, rules
from flows.gates.gather import deviations, gather
from flows.gates.report import as_sarif, counts, junit, text
from flows.gates.run import run_gates
from flows.gates.waivers import Waiver
from flows.handover import OUTPUTS_FILE, STACK
from flows.orgbundle import rendered
from flows.source.project import read_project
from infra.outputs import parse_outputs
from kit.problems import Place, Refused
from tests.flows.gates.builders import (
    FEDERATION,
    MFA,
    ROOT,
    TODAY,
    apex,
    bundle,
    certificate,
    facts,
    network,
    remote,
    security,
    whole,
)
from tests.landed import OUTPUTS


def test_a_global_org_is_not_judged_by_china_s_rules() -> None:
    mixed = bundle(remote("api.stripe.com"), network(), whole("Settings:Mobile", "<M></M>"), security(MFA))
    found = run_gates(
        mixed,
        FEDERATION.org("global-uat"),
        FEDERATION,
        replace(facts(api_ceiling="67.0"), deviations=()),
        TODAY,
    )
    assert found == ()


ABROAD = bundle(remote("api.stripe.com"))


def waived(**changes: object) -> tuple[Finding, ...]:
    given: dict[str, object] = {
        "check": "R01.undeclared-host", "component": "RemoteSiteSetting:R", "orgs": ("china-uat",), "by": "li.wei",
        "reason": "The trial ends this week.", "until": TODAY, "place": Place("orgs/waivers.yml", 3),
    }  # fmt: skip
    told = replace(facts(), waivers=(Waiver(**{**given, **changes}),))  # type: ignore[arg-type]
    return run_gates(ABROAD, FEDERATION.org("china-uat"), FEDERATION, told, TODAY)


def test_a_waiver_by_somebody_with_the_power_lets_a_finding_pass_and_shows() -> None:
    found = waived()
    assert not any(one.blocks for one in found)
    assert counts(found)["waived"] == 1
    assert "The trial ends this week." in text("china-uat", found)


@pytest.mark.parametrize(
    "changes", [{"until": date(2026, 11, 21)}, {"by": "anna.lindqvist"}, {"by": "nobody"}], ids=str
)
def test_a_waiver_that_expired_or_that_nobody_may_give_does_not_count(changes: dict[str, object]) -> None:
    found = waived(**changes)
    assert [one.id for one in found if one.blocks] == ["R01.undeclared-host"]
    assert "K60.invalid" in {one.id for one in found}


def test_a_waiver_for_another_org_or_component_changes_nothing() -> None:
    for changes in ({"orgs": ("china-east",)}, {"component": "RemoteSiteSetting:S"}):
        assert [one.id for one in waived(**changes) if one.blocks] == ["R01.undeclared-host"]


def test_the_catalogue_speaks_both_languages_and_names_its_sources() -> None:
    for rule in rules().values():
        assert all((rule.title, rule.title_zh, rule.law, rule.article, rule.source))
    for check in checks().values():
        assert Severity(check["severity"])
        for name in ("what", "fix"):
            assert any("\u4e00" <= letter <= "\u9fff" for letter in check[f"{name}_zh"])
            assert check[name].isascii()


def landing_zone(org: str) -> dict[str, object]:
    """Return the outputs of a landing zone with an identity provider and an endpoint in the mainland."""
    body = textwrap.fill(certificate(date(2027, 11, 22)), 64)
    pem = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
    idp = {"issuer": "https://idp.acme-cn.example", "sso_url": "https://idp.acme-cn.example/sso", "certificate": pem}
    return {
        "identity_saml": {org: idp},
        "integration_endpoints": {"events": "https://events.acme-cn.example/orgs"},
        "integration_origins": ["https://portal.acme-cn.example"],
        "integration_callbacks": {"wecom": "https://callback.acme-cn.example/wecom"},
    }


@pytest.mark.parametrize("org", [org.name for org in FEDERATION.orgs])
def test_the_sample_has_no_block_for_any_org(org: str) -> None:
    member = FEDERATION.org(org)
    release = compose_for(FEDERATION, member, ROOT)
    known = gather(read_project(ROOT), FEDERATION, member, None)
    landed = rendered(release, member, FEDERATION, ROOT, parse_outputs(OUTPUTS | landing_zone(org), "outputs"))
    made = {key.type for key, each in landed.components.items() if each.layer == "rendered"}
    assert ({"SamlSsoConfig", "NamedCredential", "CspTrustedSite"} <= made) is bool(member.parts)
    for one in (release, landed):
        found = run_gates(one, member, FEDERATION, known, TODAY)
        assert [str(each) for each in found if each.blocks] == []
        assert "K10.unknown" in {each.id for each in found}


def test_overrides_are_found_between_layers() -> None:
    from flows.compose import Layer

    core, china = apex("class A {}"), replace(apex("class A { }"), layer="china")
    (one,) = deviations([Layer("core", (core,)), Layer("china", (china, apex("class B {}", "B")))], {})
    assert (one.key, one.layer, one.replaces, one.since) == (core.key, "china", "core", None)


def test_text_and_junit_say_what_they_are_not() -> None:
    found = run_gates(ABROAD, FEDERATION.org("china-uat"), FEDERATION, facts(), TODAY)
    assert text("china-uat", found).endswith(DISCLAIMER)
    suite = ElementTree.fromstring(junit("china-uat", found).encode())[0]
    assert suite.get("failures") == "1"
    assert DISCLAIMER in "".join(suite.itertext())


def test_sarif_holds_each_finding_under_its_rule_and_a_waived_one_as_a_note() -> None:
    org = FEDERATION.org("china-uat")
    for found, expected in (
        (run_gates(ABROAD, org, FEDERATION, facts(), TODAY), ("R01.undeclared-host", "error")),
        (waived(), ("R01.undeclared-host.waived", "note")),
    ):
        (log,) = json.loads(json.dumps(as_sarif("china-uat", found)))["runs"]
        levels = {rule["id"]: rule["defaultConfiguration"]["level"] for rule in log["tool"]["driver"]["rules"]}
        assert expected in levels.items()
        assert len(log["results"]) == len(found)


def run(*arguments: str, root: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    program = "from flows.cli import main; main(prog_name='sfoa')"
    command = [sys.executable, "-c", program, "gate", "--org", "china-uat", *arguments]
    inherited = {name: text for name, text in os.environ.items() if name not in (STACK, OUTPUTS_FILE)}
    given = inherited | environment
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, env=given)


def test_the_command_ends_with_1_when_a_finding_blocks(tmp_path: Path) -> None:
    stated = tmp_path / "facts.yml"
    stated.write_text('api_ceiling: "61.0"\n', encoding="utf-8")
    done = run("--json", "--facts", str(stated))
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["status"]) == (1, 1)
    assert answer["result"]["counts"]["block"] == len(answer["problems"]) > 1
    assert "API version 62.0 is above the org's ceiling 61.0" in {one["what"] for one in answer["problems"]}
    assert run("--format", "junit").returncode == 0


def test_the_command_judges_what_a_promote_would_deploy_rendered_from_the_outputs(tmp_path: Path) -> None:
    abroad = {**OUTPUTS, "integration_endpoints": {"payments": "https://api.stripe.com/v1"}}
    (tmp_path / "outputs.json").write_text(json.dumps(abroad), encoding="utf-8")
    done = run("--json", SFOA_OUTPUTS=str(tmp_path / "outputs.json"))
    answer = json.loads(done.stdout)
    blocked = {(one["id"], one["component"]) for one in answer["result"]["findings"] if one["severity"] == "block"}
    rendered = {"NamedCredential:Sfoa_payments", "RemoteSiteSetting:Sfoa_payments"}
    assert (done.returncode, blocked) == (1, {("R01.undeclared-host", name) for name in rendered})
    assert not [one for one in answer["result"]["findings"] if "who wrote" in one["what"] and "Sfoa_" in one["what"]]
    unrendered = run("--json")
    assert "Judged without what the landing zone's outputs add" in unrendered.stderr
    assert json.loads(unrendered.stdout)["result"]["counts"]["block"] == 0


def test_an_unknown_fact_in_the_file_of_facts_is_refused(tmp_path: Path) -> None:
    stated = tmp_path / "facts.yml"
    stated.write_text("api_roof: 61.0\n", encoding="utf-8")
    done = run("--facts", str(stated))
    assert done.returncode == 1
    assert "api_roof" in done.stderr


def test_a_text_of_the_catalogue_is_filled() -> None:
    values: Mapping[str, object] = {"host": "a.example", "address": "https://a.example/", "org": "china-uat"}
    assert "a.example" in finding("R01.undeclared-host", "X:Y", None, **values).what_zh


def test_what_a_plan_deletes_is_judged(tmp_path: Path) -> None:
    from flows.plan import Plan, TestLevel, Tests
    from flows.planfile import write_plan

    gone = (ComponentKey("CustomField", "Case.Severity__c"), ComponentKey("Layout", "Case-Old"))
    for name in ("china-uat", "china-east"):
        plan = Plan(name, "0" * 64, "0" * 64, (), (), gone, Tests(TestLevel.LOCAL, ()))
        write_plan(plan, tmp_path / f"{name}.json")
    done = run("--json", "--plan", str(tmp_path / "china-uat.json"))
    lost = [one for one in json.loads(done.stdout)["result"]["findings"] if one["id"] == "K76.data-lost"]
    assert (done.returncode, [one["component"] for one in lost]) == (1, ["CustomField:Case.Severity__c"])
    other = run("--plan", str(tmp_path / "china-east.json"))
    assert other.returncode == 1
    assert "the plan is for china-east" in other.stderr


def test_a_project_without_its_own_register_and_partners_is_refused_and_never_judged_by_the_samples(
    tmp_path: Path,
) -> None:
    directories = [{"path": "metadata/core", "default": True}]
    (tmp_path / "sfdx-project.json").write_text(json.dumps({"packageDirectories": directories}))
    (tmp_path / "metadata" / "core").mkdir(parents=True)
    member = FEDERATION.org("china-production")
    with pytest.raises(Refused) as refused:
        gather(read_project(tmp_path), FEDERATION, member, None)
    files = [problem.what.rpartition("/")[2] for problem in refused.value.problems]
    assert files == ["cross-border.yml is missing", "partners.yml is missing"]
    assert all("create it" in problem.fix for problem in refused.value.problems)
    (tmp_path / "orgs").mkdir()
    (tmp_path / "orgs" / "cross-border.yml").write_text("as_of: 2026-11-22\n")
    (tmp_path / "orgs" / "partners.yml").write_text("as_of: 2026-11-22\nown_domains: [other.example]\n")
    facts = gather(read_project(tmp_path), FEDERATION, member, None)
    assert (facts.register.transfers, facts.waivers) == ((), ())
    assert facts.partners is not None
    assert facts.partners.own_domains == ("other.example",)
