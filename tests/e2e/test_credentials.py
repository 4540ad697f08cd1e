"""Secrets of external credentials go through the org's API: from the environment, and into nothing that is kept."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import replace

import pytest

from emulators.salesforce.credentials import KIND
from emulators.testing import Running
from flows.credentials import Principal, is_set, secret_of
from flows.metadata_api import MetadataApi
from flows.tokens import mint
from kit.problems import Refused
from orgs.federation import load_federation
from tests.e2e.released import ROOT, Project

pytestmark = pytest.mark.e2e

ORG = load_federation().org("china-uat")
WECOM = Principal("WeCom", "FieldTeam", "Custom")
SECRET = "corp-secret-that-nobody-may-see"
TASK = ("cci", "task", "run", "set_credentials", "--org", ORG.name)


def deploy_credentials(api: MetadataApi) -> None:
    """Deploy the sample's external credentials, as a promote does."""
    folder = ROOT / "metadata/china/main/default/externalCredentials"
    names = [path.name.partition(".")[0] for path in folder.glob("*-meta.xml")]
    members = "".join(f"<members>{name}</members>" for name in names)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            "package.xml",
            f'<Package xmlns="http://soap.sforce.com/2006/04/metadata"><types>{members}<name>ExternalCredential</name>'
            "</types><version>62.0</version></Package>",
        )
        for path in folder.glob("*-meta.xml"):
            archive.write(path, f"externalCredentials/{path.name.removesuffix('-meta.xml')}")
    done = api.wait(api.deploy(packed.getvalue(), None, check_only=False), lambda _: None, 60)
    assert done.success, done.failures


def test_a_secret_goes_from_the_environment_into_the_org_and_nowhere_else(project: Project, clouds: Running) -> None:
    api = MetadataApi(mint(ORG), "62.0")
    deploy_credentials(api)
    given = {WECOM.variable: json.dumps({"CorpSecret": SECRET})}
    done = replace(project, environment=project.environment | given).run(*TASK)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1
    assert "secrets set: WeCom.FieldTeam" in said
    assert "Parts_Catalogue.ServiceDesk yet" in said  # core's credential, which was not deployed here
    assert is_set(api, WECOM)
    assert is_set(api, Principal("Nothing", "Nobody", "Custom")) is None
    kept = [document for _, document in clouds.store.all(KIND)]
    assert [each["values"]["CorpSecret"]["sha256"] for each in kept] == [hashlib.sha256(SECRET.encode()).hexdigest()]
    assert SECRET not in said
    assert not any(SECRET.encode() in path.read_bytes() for path in project.root.rglob("*") if path.is_file())


def test_a_secret_comes_from_a_variable_or_a_command_and_a_wrong_one_is_refused_unseen() -> None:
    assert WECOM.variable == "SFOA_SECRET_WECOM_FIELDTEAM"
    assert secret_of(WECOM, {}) is None
    assert secret_of(WECOM, {WECOM.variable: '{"token": "abc"}'}) == {"token": "abc"}
    command = f"{WECOM.variable}_COMMAND"
    assert secret_of(WECOM, {command: """printf '{"token": "xyz"}'"""}) == {"token": "xyz"}
    for wrong in ("hush-hush", '["hush-hush"]', '{"token": 1}', "{}"):
        with pytest.raises(Refused) as refused:
            secret_of(WECOM, {WECOM.variable: wrong})
        assert "hush-hush" not in str(refused.value)
    with pytest.raises(Refused, match="exit code 1"):
        secret_of(WECOM, {command: "false"})


def test_gate_and_promote_tell_which_secrets_are_missing_and_a_promote_sets_what_it_is_given(
    project: Project, clouds: Running
) -> None:
    asked = " ".join(project.ok("cci", "flow", "run", "gate", "--org", ORG.name).split())
    assert "No secret: china-uat has no WeCom.FieldTeam yet" in asked
    assert "请先发布" in asked
    given = replace(project, environment=project.environment | {WECOM.variable: json.dumps({"CorpSecret": SECRET})})
    said = " ".join(given.promote(ORG.name).split())
    assert "Setting the secret of WeCom.FieldTeam in china-uat" in said
    assert "No secret: WeCom" not in said
    assert "No secret: Parts_Catalogue.ServiceDesk has no secret in china-uat" in said
    assert "在 china-uat 中没有密钥" in said
    assert SECRET not in said
    assert is_set(MetadataApi(mint(ORG), "62.0"), WECOM)
    entries = json.dumps(project.data("sfoa", "ledger", "show", "--org", ORG.name, "--json"))
    assert SECRET not in entries
    found = json.loads(project.run("sfoa", "doctor", "--orgs", "--json").stdout)["result"]
    (check,) = [each for each in found if each["name"] == f"secrets of {ORG.name}"]
    assert "Parts_Catalogue.ServiceDesk has no secret" in check["detail"]
    assert "WeCom" not in check["detail"]
