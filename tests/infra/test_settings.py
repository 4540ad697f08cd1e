from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from infra.schema import FILE, schema_text
from infra.settings import Environment, json_schema, read_settings, stack_file
from kit.problems import Problem, Refused

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = {"ALIBABA_CLOUD_ACCOUNT_ID": "1234567890123456"}
STACKS = ("local", "example-production")


@pytest.fixture
def problems(tmp_path: Path, config_in: Any) -> Callable[..., dict[str, Problem]]:
    """Return what is refused of a shipped stack with changes over it, by the key that the problem is about."""

    def refused_of(stack: str, changes: Mapping[str, Any], environ: Mapping[str, str] = ACCOUNT) -> dict[str, Problem]:
        document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
        for key, value in changes.items():
            section, _, name = key.partition(".")
            if name:
                document["config"][section][name] = value
            elif value is None:
                del document["config"][key]
            else:
                document["config"][key] = value
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        with pytest.raises(Refused) as refused:
            read_settings(config_in(tmp_path, stack), environ, stack_file(tmp_path, stack))
        return {problem.what.partition(": ")[0]: problem for problem in refused.value.problems}

    return refused_of


@pytest.mark.parametrize("stack", STACKS)
def test_the_shipped_stacks_are_valid(config: Any, stack: str) -> None:
    settings = read_settings(config(stack), ACCOUNT, stack_file(ROOT, stack))
    assert settings.account_id == "1234567890123456"
    assert settings.production == (settings.environment is Environment.PRODUCTION)


def test_every_error_is_reported_at_once_with_its_key_value_rule_fix_and_line(problems: Any, tmp_path: Path) -> None:
    found = problems(
        "example-production",
        {
            "sfoa:company": "ACME Inc",
            "alicloud:region": "cn-hongkong",
            "sfoa:network.cidr": "11.0.0.0/16",
            "sfoa:network.egress_ips": 0,
            "sfoa:network.edge_sources": ["0.0.0.0/0"],
            "sfoa:storage.logs_retention_days": 30,
            "sfoa:storage.ledger_locked": False,
            "sfoa:storage.force_destroy": True,
            "sfoa:tags": {"acs:mine": "1"},
        },
    )
    assert set(found) == {
        "sfoa:company",
        "alicloud:region",
        "sfoa:network.cidr",
        "sfoa:network.egress_ips",
        "sfoa:network.edge_sources.0",
        "sfoa:storage.logs_retention_days",
        "sfoa:storage.ledger_locked",
        "sfoa:storage.force_destroy",
        "sfoa:tags",
    }
    text = (tmp_path / "Pulumi.example-production.yaml").read_text(encoding="utf-8").splitlines()
    for key, problem in found.items():
        assert problem.rule
        assert problem.fix
        assert problem.value
        assert problem.place
        assert problem.place.file == "Pulumi.example-production.yaml"
        item = key.endswith(".0")
        assert ("0.0.0.0/0" if item else key.rpartition(".")[2]) in text[problem.place.line - 1]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("sfoa:network.cidr", "10.20.0.0/24", "/24 is not between /16 and /20"),
        ("sfoa:network.cidr", "10.20.0.1/16", "host bits"),
        ("sfoa:network.cidr", "10.20", "not an IPv4 range"),
        ("sfoa:network.zones", ["cn-shanghai-b", "cn-shanghai-b", "cn-shanghai-f"], "stands twice"),
        ("sfoa:network.egress_ips", 21, "not from 1 to 20"),
        ("sfoa:storage.ledger_retention_days", 0, "not from 1 to 25550"),
        ("sfoa:storage.logs_retention_days", 183, "not from 184"),
        ("sfoa:tags", {f"tag-{n}": "x" for n in range(17)}, "17 tags"),
        ("sfoa:tags", {"company": "other"}, "not allowed"),
        ("sfoa:network", "10.20.0.0/16", "valid dictionary"),
    ],
)
def test_a_setting_that_breaks_its_rule_is_refused(problems: Any, key: str, value: Any, said: str) -> None:
    (problem,) = problems("local", {key: value}).values()
    assert said in problem.what


def test_a_file_with_an_encrypted_value_is_pointed_at_all_the_same(config: Any) -> None:
    """The engine hands the value over in plain; the file holds `secure: …`."""
    values = {**config("local"), "sfoa:company": "ACME Inc"}
    integration = json.loads(values["sfoa:integration"])
    assert set(integration["callbacks"]["domain"]["private_key"]) == {"secure"}
    integration["callbacks"]["domain"]["private_key"] = "what stands behind it"
    with pytest.raises(Refused) as refused:
        read_settings(values | {"sfoa:integration": json.dumps(integration)}, ACCOUNT, stack_file(ROOT, "local"))
    places = {problem.place.file for problem in refused.value.problems if problem.place}
    assert places == {"Pulumi.local.yaml"}


def test_a_file_that_the_engine_did_not_read_is_not_pointed_at(config: Any) -> None:
    values = {**config("local"), "sfoa:network": json.dumps({"cidr": "10.20.0.0/24"})}
    with pytest.raises(Refused) as refused:
        read_settings(values, ACCOUNT, stack_file(ROOT, "local"))
    assert {str(problem.place) for problem in refused.value.problems} == {"stack config"}


def test_a_zone_of_another_region_is_refused_by_its_position(problems: Any) -> None:
    zones = ["cn-shanghai-b", "cn-beijing-f", "cn-shanghai-g"]
    assert set(problems("local", {"sfoa:network.zones": zones})) == {"sfoa:network.zones.1"}


def test_a_wrong_region_is_said_once_and_not_again_for_each_zone(problems: Any) -> None:
    found = problems("local", {"alicloud:region": "cn-shangai"})
    assert set(found) == {"alicloud:region"}
    assert "did you mean cn-shanghai?" in found["alicloud:region"].fix


def test_a_slip_of_the_pen_is_told_the_nearest_setting(problems: Any) -> None:
    found = problems("local", {"sfoa:storage.force_destory": True, "sfoa:tag": {}})
    assert "did you mean force_destroy?" in found["sfoa:storage.force_destory"].fix
    assert "did you mean sfoa:tags?" in found["sfoa:tag"].fix


def test_a_missing_setting_is_asked_for_by_its_key(problems: Any) -> None:
    found = problems("local", {"sfoa:company": None})
    assert "add sfoa:company" in found["sfoa:company"].fix


def test_a_short_ledger_is_fine_but_not_in_production(problems: Any, config: Any) -> None:
    values = config("local")
    assert read_settings(values, ACCOUNT).storage.ledger_retention_days == 1
    found = problems("example-production", {"sfoa:storage.ledger_retention_days": 1})
    assert set(found) == {"sfoa:storage.ledger_retention_days"}


def test_credentials_of_another_account_are_refused(problems: Any) -> None:
    found = problems("example-production", {}, {"ALICLOUD_ACCOUNT_ID": "9999999999999999"})
    assert "9999999999999999" in found["alicloud:accountId"].what


def test_an_account_that_no_one_names_is_asked_for(problems: Any) -> None:
    assert set(problems("local", {}, {})) == {"alicloud:accountId"}


def test_config_of_other_namespaces_is_none_of_ours(config: Any) -> None:
    values = {**config("local"), "alicloud:maxRetryTimeout": "10", "aws:region": "eu-west-1"}
    assert read_settings(values, ACCOUNT) == read_settings(config("local"), ACCOUNT)


def test_the_schema_in_the_repository_is_the_one_that_the_model_gives() -> None:
    assert FILE.read_text(encoding="utf-8") == schema_text(), "run: python -m infra.schema"


@pytest.mark.parametrize("stack", STACKS)
def test_the_schema_takes_the_shipped_stacks(stack: str) -> None:
    document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(document, json_schema())


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [("sfoa:network", "egress_ips", 99), ("sfoa:storage", "colour", 1), ("sfoa:network", "zones", ["a"])],
)
def test_the_schema_refuses_what_the_model_refuses(section: str, name: str, value: Any) -> None:
    document = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text(encoding="utf-8"))
    document["config"][section][name] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json_schema())


def test_settings_are_read_without_pulumi() -> None:
    code = "import sys, infra.settings; print([m for m in sys.modules if m.startswith('pulumi')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("namespace", ["sfao", "sfoa-landing-zone", "SFOA", "soa"])
def test_a_setting_in_a_namespace_that_nobody_reads_is_refused(config: Any, namespace: str) -> None:
    values = {key.replace("sfoa:tags", f"{namespace}:tags"): value for key, value in config("local").items()}
    with pytest.raises(Refused) as refused:
        read_settings({**values, f"{namespace}:tags": "{}"}, ACCOUNT)
    (problem,) = refused.value.problems
    assert (problem.what, problem.fix) == (f"{namespace}:tags: not a setting", "rename it: sfoa:tags")


def test_settings_of_other_providers_are_left_alone(config: Any) -> None:
    read_settings({**config("local"), "aws:region": "eu-north-1", "azure:environment": "china"}, ACCOUNT)


def test_what_stands_behind_a_misspelt_setting_is_not_shown(config: Any) -> None:
    values = config("local")
    integration = json.loads(values["sfoa:integration"])
    integration["callbacks"]["domain"]["privat_key"] = "behind-the-slip"
    values |= {"sfoa:integration": json.dumps(integration), "sfoa:scim_token": "behind-the-other"}
    with pytest.raises(Refused) as refused:
        read_settings(values, ACCOUNT)
    assert len(refused.value.problems) == 2
    assert "behind" not in str(refused.value)


def test_a_region_beyond_the_mainland_is_not_taken_for_one_of_it(problems: Any) -> None:
    found = problems("local", {"alicloud:region": "cn-hongkong"})
    assert "did you mean" not in found["alicloud:region"].fix
