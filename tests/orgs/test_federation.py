"""The federation file: what the shipped one says, and how a faulty one is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from kit.problems import Problem, Refused
from orgs.federation import DEFAULT_FILE, Approval, Edition, MissingFeatures, Power, load_federation
from orgs.model import Federation
from orgs.sshkey import ssh_key_fault

Edit = Callable[[dict[str, Any]], object]


def org(data: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in data["orgs"] if each["name"] == name)
    return found


def problems_after(tmp_path: Path, *edits: Edit) -> list[Problem]:
    """Return what is refused in the shipped file after the edits, in order."""
    data = yaml.safe_load(DEFAULT_FILE.read_text(encoding="utf-8"))
    for edit in edits:
        edit(data)
    file = tmp_path / "federation.yml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    (tmp_path / "scratch").mkdir(exist_ok=True)
    (tmp_path / "scratch" / "dev.json").write_text("{}", encoding="utf-8")
    try:
        load_federation(file)
    except Refused as refused:
        return list(refused.problems)
    return []


def test_the_shipped_federation_is_valid_and_in_ring_order() -> None:
    names = [[each.name for each in ring] for ring in load_federation().rings()]
    assert names == [
        ["global-uat"],
        ["china-uat", "china-east", "china-preview"],
        ["china-staging"],
        ["global-production"],
        ["china-production"],
    ]


def test_an_unedited_copy_is_accepted(tmp_path: Path) -> None:
    assert problems_after(tmp_path) == []


def test_overlays_follow_from_the_edition() -> None:
    federation = load_federation()
    assert federation.org("china-uat").overlays == ("core", "china", "orgs/china-uat")
    assert federation.org("global-uat").overlays == ("core", "orgs/global-uat")


def test_the_preview_instance_marks_its_org() -> None:
    assert [each.name for each in load_federation().orgs if each.preview] == ["china-preview"]


def test_an_unknown_org_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(Refused, match="did you mean china-uat"):
        load_federation().org("china-uta")


def test_a_delegated_power_ends_with_its_term() -> None:
    china = load_federation().centre("china")
    assert china.holds(Power.PROMOTE, date(2027, 12, 31))
    assert not china.holds(Power.PROMOTE, date(2028, 1, 1))
    assert not china.holds(Power.APPROVE_CORE, date(2027, 1, 1))


def test_the_approvers_of_an_org_come_with_their_keys() -> None:
    federation = load_federation()
    approvers = federation.approvers_of(federation.org("china-production"))
    assert {each.name for each in approvers} == {"li.wei", "chen.jing", "anna.lindqvist"}
    assert all(each.public_key.startswith("ssh-ed25519 ") for each in approvers)


def test_where_nothing_is_said_of_approvals_a_sandbox_takes_its_owner_s_and_production_two(tmp_path: Path) -> None:
    data = yaml.safe_load(DEFAULT_FILE.read_text(encoding="utf-8"))
    del data["approvals"]
    federation = Federation.model_validate(data)
    assert federation.approval_of(federation.org("china-uat")) is Approval.OWNER
    assert federation.approval_of(federation.org("china-production")) is Approval.TWO_KEYS


def test_what_becomes_of_a_missing_feature_is_said_by_edition_or_by_org(tmp_path: Path) -> None:
    def edit(data: dict[str, Any]) -> None:
        data["missing_features"] = {"alibaba": "exclude"}
        org(data, "china-production")["missing_features"] = "stop"

    assert problems_after(tmp_path, edit) == []
    found = load_federation(tmp_path / "federation.yml")
    assert found.missing_features_of(found.org("china-uat")) is MissingFeatures.EXCLUDE
    assert found.missing_features_of(found.org("china-production")) is MissingFeatures.STOP
    assert found.missing_features_of(found.org("global-uat")) is MissingFeatures.STOP
    (problem,) = problems_after(tmp_path, lambda data: data.update(missing_features={"alibaba": "ignore"}))
    assert problem.place is not None
    assert "missing_features.alibaba" in problem.what


def test_an_org_with_several_faults_has_all_of_them_told(tmp_path: Path) -> None:
    """A misspelt owner or approver isn't held back until the rest of the entry is right."""
    faults = {"edition": "alibab", "ring": "two", "coe": "chna", "approvers": ["li.wi", "chen.jing", 7]}
    told = "\n".join(map(str, problems_after(tmp_path, lambda data: org(data, "china-uat").update(faults))))
    for key in ("orgs.1.edition", "orgs.1.ring", "orgs.1.coe", "orgs.1.approvers.0", "orgs.1.approvers.2"):
        assert key in told
    assert "did you mean china?" in told
    assert "did you mean li.wei?" in told


def test_the_model_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_federation().orgs[0].ring = 9


REFUSALS: dict[str, tuple[Edit, str, str]] = {
    "an unknown edition": (lambda d: org(d, "china-uat").update(edition="china"), r"orgs\.1\.edition", "'global'"),
    "an unknown key": (lambda d: org(d, "china-uat").update(region="cn"), r"orgs\.1\.region", "slip of the pen"),
    "a missing key": (lambda d: org(d, "china-uat").pop("coe"), r"orgs\.1\.coe", "no default"),
    "a sandbox without a sandbox name": (
        lambda d: org(d, "china-uat").pop("sandbox"),
        r"orgs\.1\.sandbox",
        "a sandbox has a sandbox name",
    ),
    "a production org with a sandbox name": (
        lambda d: org(d, "china-production").update(sandbox="x"),
        r"orgs\.6\.sandbox",
        "only a sandbox",
    ),
    "a China instance in the global edition": (
        lambda d: org(d, "global-production").update(instance="CHN1"),
        r"orgs\.5\.instance",
        "no production instance of the global edition",
    ),
    "a global instance in the China edition": (
        lambda d: org(d, "china-production").update(instance="NA224"),
        r"orgs\.6\.instance",
        "no production instance of the alibaba edition",
    ),
    "a sandbox instance for production": (
        lambda d: org(d, "china-production").update(instance="CHN3S"),
        r"orgs\.6\.instance",
        "no production instance",
    ),
    "an API floor below the edition's": (
        lambda d: org(d, "china-uat").update(api_version_floor="30.0"),
        r"orgs\.1\.api_version_floor",
        "31.0",
    ),
    "an API floor above what bundles are deployed with": (
        lambda d: org(d, "china-uat").update(api_version_floor="63.0"),
        r"orgs\.1\.api_version_floor",
        "deployed with 62.0",
    ),
    "an unknown language": (
        lambda d: org(d, "china-uat").update(language="zh-CN"),
        r"orgs\.1\.language",
        "did you mean zh_CN",
    ),
    "the other edition's support": (
        lambda d: org(d, "china-uat").update(support="salesforce-case"),
        r"orgs\.1\.support",
        "alibaba-cloud-ticket",
    ),
    "an unknown centre": (lambda d: org(d, "china-uat").update(coe="chian"), r"orgs\.1\.coe", "did you mean china"),
    "an unknown approver": (
        lambda d: org(d, "china-uat").update(approvers=["li.wie"]),
        r"orgs\.1\.approvers\.0",
        "did you mean li.wei",
    ),
    "one approver for production": (
        lambda d: org(d, "china-production").update(approvers=["li.wei", "li.wei"]),
        r"orgs\.6\.approvers",
        "at least two",
    ),
    "a name that stands twice": (
        lambda d: org(d, "china-east").update(name="china-uat"),
        r"orgs\.2\.name stands twice, first in orgs\.1",
        "a name of its own",
    ),
    "one org listed twice": (
        lambda d: org(d, "china-east").update(sandbox="uat"),
        r"orgs\.2 is the org of orgs\.1",
        "My Domain and sandbox",
    ),
    "one runner for two orgs": (
        lambda d: org(d, "china-east")["runner"].update(username="Release.Runner@acme-cn.example.uat"),
        r"orgs\.2\.runner\.username",
        "belongs to one org",
    ),
    "a sandbox that comes after production": (
        lambda d: org(d, "china-staging").update(ring=5),
        r"orgs\.4\.ring",
        "lower ring than production",
    ),
    "a gap between rings": (
        lambda d: org(d, "china-production").update(ring=7),
        "no org is in ring 5",
        "without a gap",
    ),
    "a damaged key": (
        lambda d: d["approvers"][0].update(public_key="ssh-ed25519 AAAA"),
        r"approvers\.0\.public_key",
        "damaged",
    ),
    "one key for two people": (
        lambda d: d["approvers"][1].update(public_key=d["approvers"][0]["public_key"] + "x"),
        r"approvers\.1\.public_key is the key of approvers\.0",
        "theirs alone",
    ),
    "a scratch org in China": (
        lambda d: d["scratch_orgs"][0].update(edition="alibaba"),
        r"scratch_orgs\.0\.edition",
        "global edition only",
    ),
    "a scratch org without its file": (
        lambda d: d["scratch_orgs"][0].update(definition="scratch/none.json"),
        r"scratch_orgs\.0\.definition",
        "no such file",
    ),
    "a delegation without a term": (lambda d: d["centres"][1].pop("term"), r"centres\.1\.term", "for a term"),
    "a term that ends before it starts": (
        lambda d: d["centres"][1].update(term={"start": date(2026, 5, 1), "end": date(2026, 4, 1)}),
        r"centres\.1\.term\.end",
        "after it starts",
    ),
    "a power that headquarters does not hold": (
        lambda d: d["centres"][0]["powers"].remove("freeze"),
        r"centres\.1\.powers",
        "does not hold freeze",
    ),
    "a delegation by nobody": (
        lambda d: d["centres"][1].update(delegated_by="hk"),
        r"centres\.1\.delegated_by",
        "hq",
    ),
    "one key for production": (
        lambda d: d["approvals"].update(production="owner"),
        r"approvals\.production",
        "two people approve",
    ),
    "a soak of a ring that no org is in": (
        lambda d: d["soak_hours"].update({9: 24}),
        r"soak_hours",
        "no org is in ring 9",
    ),
    "a negative soak": (lambda d: d["soak_hours"].update({1: -1}), r"soak_hours\.1", "greater than or equal to 0"),
    "a My Domain with a double hyphen": (
        lambda d: org(d, "china-uat").update(my_domain="acme--cn"),
        r"orgs\.1\.my_domain",
        "pattern",
    ),
}


@pytest.mark.parametrize(("edit", "what", "text"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_faulty_entry_is_refused_by_its_place(tmp_path: Path, edit: Edit, what: str, text: str) -> None:
    problems = problems_after(tmp_path, edit)
    matching = [problem for problem in problems if re.search(what, problem.what)]
    assert len(matching) == 1, problems
    assert text in str(matching[0])
    assert matching[0].place is not None
    assert matching[0].place.line > 1


def test_a_problem_names_the_line_where_the_value_stands(tmp_path: Path) -> None:
    file = tmp_path / "federation.yml"
    text = DEFAULT_FILE.read_text(encoding="utf-8").replace("instance: CHN5S", "instance: CHNx")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Refused) as refused:
        load_federation(file)
    line = 1 + text.splitlines().index("    instance: CHNx")
    assert [p.place.line for p in refused.value.problems if p.place and "instance" in p.what] == [line]


def test_all_problems_are_said_at_once_even_of_different_sorts(tmp_path: Path) -> None:
    problems = problems_after(
        tmp_path,
        lambda d: org(d, "global-uat").update(edition="moon"),
        lambda d: org(d, "china-uat").update(language="xx", support="phone"),
        lambda d: org(d, "china-staging").update(ring=5),
        lambda d: org(d, "china-east").update(name="china-preview"),
        lambda d: d["approvers"][2].update(public_key="ssh-dss AAAA"),
    )
    said = "\n".join(problem.what for problem in problems)
    for part in ("orgs.0.edition", "orgs.1.language", "orgs.1.support", "orgs.4.ring", "stands twice", "public_key"):
        assert part in said
    lines = [problem.place.line for problem in problems if problem.place]
    assert lines == sorted(lines)


@pytest.mark.parametrize("text", ["", "[]", "orgs: 7", "company: acme\norgs: [7, null]\n"])
def test_a_file_of_another_shape_is_refused_and_crashes_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "federation.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Refused):
        load_federation(file)


def test_api_versions_count_as_numbers_not_as_text(tmp_path: Path) -> None:
    assert problems_after(tmp_path, lambda d: d.update(api_version="100.0")) == []


def test_a_private_key_is_named_as_such() -> None:
    assert "private key" in ssh_key_fault("-----BEGIN OPENSSH PRIVATE KEY-----")


def test_real_ssh_keys_are_accepted_and_each_cut_off_one_is_not() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    publics: list[PublicKeyTypes] = [
        ed25519.Ed25519PrivateKey.generate().public_key(),
        ec.generate_private_key(ec.SECP256R1()).public_key(),
        ec.generate_private_key(ec.SECP521R1()).public_key(),
        rsa.generate_private_key(65537, 2048).public_key(),
    ]
    for public in publics:
        line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        assert ssh_key_fault(line + " me@example") == ""
        assert ssh_key_fault(line[:-8])
    small = rsa.generate_private_key(65537, 1024).public_key()
    assert "2048" in ssh_key_fault(small.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())


def test_every_edition_has_orgs_of_both_kinds() -> None:
    federation: Federation = load_federation()
    assert {(each.edition, each.kind) for each in federation.orgs} == {
        (edition, kind) for edition in Edition for kind in ("production", "sandbox")
    }
