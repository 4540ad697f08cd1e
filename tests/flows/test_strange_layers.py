"""A folder of metadata that no org gets is a slip of the pen, and said so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows.compose import compose_for
from flows.project import federation_of
from flows.release import compose_release
from kit.problems import Refused

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with one small layer of an org that doesn't exist, beside the sample's federation."""
    root = tmp_path_factory.mktemp("project")
    (root / "sfdx-project.json").write_text(
        '{"packageDirectories": [{"path": "metadata/core", "default": true}], "sourceApiVersion": "62.0"}'
    )
    shutil.copytree(ROOT / "orgs", root / "orgs", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    label = "main/default/labels/CustomLabels.labels-meta.xml"
    for layer in ("core", "orgs/china-uat", "orgs/china-uta"):
        (root / "metadata" / layer / label).parent.mkdir(parents=True)
        shutil.copy(ROOT / "metadata/orgs/china-uat" / label, root / "metadata" / layer / label)
    (root / "metadata" / "orgs" / "README.md").write_text("What each org alone gets.\n")
    return root


def test_a_layer_of_an_org_that_there_is_not_is_refused_with_the_name_that_was_meant(project: Path) -> None:
    federation = federation_of(project)
    for compose in (
        lambda: compose_for(federation, "china-uat", project),
        lambda: compose_for(federation, "global-uat", project),
        lambda: compose_release(federation, project),
    ):
        with pytest.raises(Refused) as refused:
            compose()
        (problem,) = refused.value.problems
        assert problem.what == "metadata/orgs/china-uta is the layer of no org"
        assert problem.fix == "rename it, or remove it; did you mean china-uat?"
        assert "china-uta" in problem.what_zh


def test_without_it_the_project_is_composed(project: Path) -> None:
    shutil.rmtree(project / "metadata" / "orgs" / "china-uta")
    assert compose_for(federation_of(project), "china-uat", project).components
