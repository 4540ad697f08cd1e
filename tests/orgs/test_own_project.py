"""Which federation a command means that is told none: the one of the project that it runs in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.sections.identity import EiamIdentity
from infra.settings import read_settings
from infra.stackfile import config_values
from kit.problems import Refused
from orgs.cli import federation
from orgs.federation import DEFAULT_FILE, load_federation, own_file

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return another company's project, in whose folder `infra` the process works, as the engine has it."""
    shutil.copytree(ROOT / "orgs" / "scratch", tmp_path / "orgs" / "scratch")
    (tmp_path / "infra").mkdir()
    text = DEFAULT_FILE.read_text(encoding="utf-8").replace("china-production", "polar-china")
    (tmp_path / "orgs" / "federation.yml").write_text(text.replace("company: acme", "company: polar"), encoding="utf-8")
    stack = (ROOT / "Pulumi.example-production.yaml").read_text(encoding="utf-8")
    (tmp_path / "Pulumi.polar.yaml").write_text(stack.replace("china-production", "polar-china"), encoding="utf-8")
    monkeypatch.chdir(tmp_path / "infra")
    return tmp_path


def test_the_federation_is_the_one_of_the_project_around_the_working_directory(project: Path) -> None:
    assert load_federation().company == "polar"
    assert own_file("cross-border.yml") == project / "orgs" / "cross-border.yml"


def test_without_a_project_it_is_the_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert own_file() == DEFAULT_FILE


def test_check_says_what_is_wrong_with_the_projects_own_file(project: Path) -> None:
    file = project / "orgs" / "federation.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("edition: global", "edition: moon"), encoding="utf-8")
    done = CliRunner().invoke(federation, ["check", "--json"])
    assert done.exit_code == 1
    assert {problem["file"] for problem in json.loads(done.stdout)["problems"]} == {str(file)}


def test_show_and_world_are_about_the_projects_own_orgs(project: Path) -> None:
    shown = json.loads(CliRunner().invoke(federation, ["show", "--json"]).stdout)["result"]
    assert shown["rings"][-1][0]["name"] == "polar-china"


def test_a_stack_serves_the_projects_own_orgs(project: Path) -> None:
    values = config_values(project, "polar")
    found = read_settings(values, {})
    assert isinstance(found.identity, EiamIdentity)
    assert found.identity.orgs == ("polar-china",)
    with pytest.raises(Refused) as refused:
        read_settings(
            {**values, "sfoa:identity": values["sfoa:identity"].replace("polar-china", "china-production")}, {}
        )
    assert "polar-china" in refused.value.problems[0].fix


def test_the_legal_basis_of_a_link_stands_in_the_projects_own_register(project: Path) -> None:
    values = config_values(project, "polar")
    network = json.loads(values["sfoa:network"])
    network["link"] = {"vbr": {"id": "vbr-uf6example000000001", "country": "SG"}, "legal_basis": {"entry": "none"}}
    register = (ROOT / "orgs" / "cross-border.yml").read_text(encoding="utf-8").partition("transfers:")[0]
    (project / "orgs" / "cross-border.yml").write_text(register + "transfers: []\n", encoding="utf-8")
    with pytest.raises(Refused) as refused:
        read_settings({**values, "sfoa:network": json.dumps(network)}, {})
    (problem,) = refused.value.problems
    assert "has no transfer none" in problem.what
    assert "hq" not in problem.fix, "the sample's transfers are another company's"
