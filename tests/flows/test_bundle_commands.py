"""`sfoa bundle --federation` and `sfoa bundle-verify`: what they print, refuse and take for a wrong call."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flows.archive import zip_bytes, zip_files
from flows.cli import main
from flows.compose import compose_for
from orgs.federation import load_federation
from pipelines.approvers import make_keys
from tests.test_json_schemas import validator

ROOT = Path(__file__).parents[2]
SIGNER = "anna.lindqvist"


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Run a command with --json; what it prints is what its schema says."""
    done = CliRunner().invoke(main, [*arguments, "--json"])
    answer: dict[str, Any] = json.loads(done.stdout)
    validator(arguments[0]).validate(answer)
    return done.exit_code, answer


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "metadata", root / "metadata")
    shutil.copytree(ROOT / "orgs", root / "orgs", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copy(ROOT / "sfdx-project.json", root)
    return root


@pytest.fixture(scope="module")
def key(project: Path) -> Path:
    """The key of an approver, as the project's federation knows it."""
    public = json.loads(make_keys(project.parent / "keys", [SIGNER]).read_text())[SIGNER]
    file = project / "orgs" / "federation.yml"
    known = {one.name: one.public_key for one in load_federation(file).approvers}
    file.write_text(file.read_text().replace(known[SIGNER], public))
    return project.parent / "keys" / SIGNER


@pytest.fixture(scope="module")
def made(project: Path, key: Path) -> tuple[Path, dict[str, Any]]:
    """A signed release's file, and what the command said of it."""
    file = project / "build" / "r.zip"
    code, answer = run(*("bundle", "--federation", "--source", str(project), "--out", str(file), "--sign", str(key)))
    assert code == 0, answer
    return file, answer["result"]


def test_a_release_names_each_org_s_bundle(made: tuple[Path, dict[str, Any]], project: Path) -> None:
    file, result = made
    federation = load_federation(project / "orgs" / "federation.yml")
    assert result["orgs"] == {
        org.name: compose_for(federation, org, project).digest for org in sorted(federation.orgs, key=lambda o: o.name)
    }
    assert result["signature"] == f"{file}.sig"


def test_the_view_of_a_bundle_says_what_an_org_will_go_without(project: Path, tmp_path: Path) -> None:
    root = tmp_path / "lacking"
    shutil.copytree(project, root)
    federation = root / "orgs" / "federation.yml"
    stated = federation.read_text().replace("scratch_orgs:", "missing_features: {alibaba: exclude}\nscratch_orgs:")
    federation.write_text(stated)
    (root / "orgs" / "facts" / "china-uat.yml").write_text("features: {mobile-app: false}\n")
    removed = root / "metadata" / "china" / "remove.yml"
    removed.write_text(removed.read_text().replace("Settings:Mobile", "CustomLabel:Environment_Banner"))
    made = ("bundle", "--source", str(root), "--out", str(tmp_path / "b.zip"))
    code, answer = run(*made, "--org", "china-uat")
    assert code == 0
    (one,) = answer["result"]["excluded"]["china-uat"]
    assert (one["component"], one["reason"]) == ("Settings:Mobile", "CHN3S lacks Salesforce mobile app")
    assert "excluded" not in run(*made, "--org", "global-uat")[1]["result"]


def test_a_signed_release_verifies(
    made: tuple[Path, dict[str, Any]], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, result = made
    monkeypatch.chdir(project)
    monkeypatch.delenv("SFOA_APPROVERS", raising=False)
    code, answer = run("bundle-verify", str(file), "--signed", "--digest", result["digest"].upper())
    assert code == 0
    assert (answer["result"]["signer"], answer["result"]["orgs"]) == (SIGNER, result["orgs"])
    said = CliRunner().invoke(main, ["bundle-verify", str(file)]).stdout
    assert f"signed by {SIGNER}" in said
    assert result["digest"] in said


def test_an_altered_release_is_refused_with_what_and_where(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    files = zip_files(made[0].read_bytes())
    victim = next(path for path in sorted(files) if path.startswith("content/"))
    files[victim] += b"evil"
    (tmp_path / "evil.zip").write_bytes(zip_bytes(files))
    code, answer = run("bundle-verify", str(tmp_path / "evil.zip"))
    assert code == 1
    (problem,) = answer["problems"]
    assert (problem["what"], problem["file"]) == (
        "a file in the bundle was altered",
        f"{tmp_path / 'evil.zip'}!{victim}",
    )


def test_what_nobody_signed_or_has_another_digest_is_refused_where_that_is_asked_for(
    made: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    file, result = made
    shutil.copy(file, tmp_path / "r.zip")
    assert run("bundle-verify", str(tmp_path / "r.zip"))[1]["result"]["signer"] == ""
    code, answer = run("bundle-verify", str(tmp_path / "r.zip"), "--signed")
    assert (code, answer["problems"][0]["what"]) == (1, "nobody signed it")
    assert result["digest"] in answer["problems"][0]["fix"]
    code, answer = run("bundle-verify", str(file), "--digest", "0" * 64)
    assert (code, result["digest"] in answer["problems"][0]["what"]) == (1, True)


def test_the_bundle_of_one_org_verifies_too(project: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "b.zip")
    _, built = run("bundle", "--source", str(project), "--org", "china-uat", "--out", file)
    _, verified = run("bundle-verify", file)
    assert verified["result"] == {
        "file": file,
        "digest": built["result"]["digest"],
        "signer": "",
        "orgs": {},
        "provenance": None,
    }


@pytest.mark.parametrize(
    ("more", "word"), [(["--federation", "--org", "china-uat"], "give either"), (["--sign", "k"], "give --federation")]
)
def test_options_that_do_not_go_together_are_a_wrong_call(more: list[str], word: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["bundle", "--out", str(tmp_path / "r.zip"), *more])
    assert done.exit_code == 2
    assert word in done.stderr
