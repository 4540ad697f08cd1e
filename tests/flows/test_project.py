"""Which project a command works on, and whose federation."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.commands.gate import gate
from flows.project import federation_of, project_root
from kit.problems import Refused

ROOT = Path(__file__).parents[2]


def test_a_project_has_its_own_federation(tmp_path: Path) -> None:
    (tmp_path / "orgs" / "scratch").mkdir(parents=True)
    (tmp_path / "orgs" / "scratch" / "dev.json").write_text("{}")
    shipped = (ROOT / "orgs" / "federation.yml").read_text(encoding="utf-8")
    (tmp_path / "orgs" / "federation.yml").write_text(shipped.replace("company: acme", "company: other"))
    assert federation_of(tmp_path).company == "other"


def test_a_project_without_a_federation_is_refused_and_never_gets_the_sample_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sfdx-project.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused) as refused:
        federation_of(project_root())
    (problem,) = refused.value.problems
    assert problem.what == "orgs/federation.yml is missing"
    assert "sfoa federation schema" in problem.fix
    assert "缺少" in problem.what_zh
    done = CliRunner().invoke(gate, ["--org", "china-production"])
    assert done.exit_code == 1
    assert "orgs/federation.yml is missing" in done.stderr
