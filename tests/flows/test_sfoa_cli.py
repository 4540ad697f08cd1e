from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from flows.bundle import read_bundle
from flows.cli import main
from tests.flows.source_samples import every_type, write, xml
from tests.landed import own_federation

ENVELOPE = Path(__file__).parents[2] / "schemas" / "envelope.schema.json"


def test_the_version_is_that_of_the_installed_kit() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert result.output.strip() == f"sfoa {importlib.metadata.version('sfoa-kit')}"


def test_an_unknown_command_is_a_usage_error_that_suggests_the_nearest() -> None:
    result = CliRunner().invoke(main, ["bundel"])
    assert result.exit_code == 2
    assert "Did you mean 'bundle'?" in result.output


def test_the_help_lists_every_command_even_one_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    good = importlib.metadata.EntryPoint("bundle", "flows.commands.bundle:bundle", "sfoa.commands")
    broken = importlib.metadata.EntryPoint("broken", "flows.commands.absent:absent", "sfoa.commands")

    real = importlib.metadata.entry_points

    def entry_points(**asked: str) -> Any:
        if asked.get("group") != "sfoa.commands":
            return real(**asked)
        name = asked.get("name", "")
        return importlib.metadata.EntryPoints(entry for entry in (good, broken) if name in ("", entry.name))

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert "Convert metadata from source format" in result.output
    assert "can't be loaded" in result.output


def test_starting_the_command_loads_no_engine() -> None:
    code = (
        "import sys; from flows.cli import main; main(['--version'], standalone_mode=False);"
        "print(sorted({'lxml', 'pydantic', 'yaml', 'rich', 'cumulusci', 'pulumi', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_bundle_writes_the_zip_and_says_what_is_in_it(tmp_path: Path) -> None:
    source, out = write(tmp_path / "project", every_type()), tmp_path / "b.zip"
    result = CliRunner().invoke(main, ["bundle", "--source", str(source), "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    envelope = json.loads(result.stdout)
    bundle = read_bundle(out)
    assert envelope["status"] == 0
    assert envelope["result"]["digest"] == bundle.digest
    assert envelope["result"]["components"] == len(bundle.components)
    assert envelope["result"]["types"]["CustomField"] == 3
    assert "README.md" in result.stderr


def test_bundle_takes_a_folder_of_metadata_that_is_no_project(tmp_path: Path) -> None:
    folder = tmp_path / "src"
    (folder / "tabs").mkdir(parents=True)
    (folder / "tabs" / "A__c.tab-meta.xml").write_text(xml("CustomTab", label="A"))
    result = CliRunner().invoke(main, ["bundle", "--source", str(folder), "--out", str(tmp_path / "b.zip")])
    assert result.exit_code == 0, result.output
    assert "components: 1, types: 1," in result.stdout
    assert "names no sourceApiVersion" in result.stderr


def test_bundle_of_bad_source_exits_1_with_all_problems_and_writes_nothing(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "app/layouts/A.layoot-meta.xml": xml("Layout"),
        "app/classes/A.cls": "class A {}",
    }
    source, out = write(tmp_path / "project", files), tmp_path / "b.zip"
    result = CliRunner().invoke(main, ["bundle", "--source", str(source), "--out", str(out), "--json"])
    assert result.exit_code == 1
    envelope = json.loads(result.stdout)
    assert [Path(problem["file"]).name for problem in envelope["problems"]] == ["A.layoot-meta.xml", "A.cls"]
    assert not out.exists()


def test_bundle_of_an_org_composes_its_layers(tmp_path: Path) -> None:
    project = '{"packageDirectories": [{"path": "metadata/core"}], "sourceApiVersion": "62.0"}'
    files: dict[str, str | bytes] = {
        "metadata/core/tabs/A__c.tab-meta.xml": xml("CustomTab", label="A"),
        "metadata/china/tabs/A__c.tab-meta.xml": xml("CustomTab", label="china"),
    }
    source, out = write(tmp_path / "project", files, project=project), tmp_path / "b.zip"
    own_federation(source)
    arguments = ["bundle", "--source", str(source), "--out", str(out), "--org", "china-uat"]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert [component.layer for component in read_bundle(out).components.values()] == ["china"]


@pytest.mark.parametrize(
    "words",
    [
        "--json",
        "nope --json",
        "plan --json",
        "plan --json --nope",
        "federation nope --json",
        "matrix --format x --json",
    ],
)
def test_a_usage_error_is_an_envelope_where_json_is_asked_for(words: str) -> None:
    done = CliRunner().invoke(main, words.split())
    assert done.exit_code == 2
    answer = json.loads(done.stdout)
    Draft202012Validator(json.loads(ENVELOPE.read_text(encoding="utf-8"))).validate(answer)
    assert (answer["status"], answer["result"]) == (2, None)
    (problem,) = answer["problems"]
    assert problem["what"] in " ".join(done.stderr.split())
    assert problem["fix"].endswith(" --help")


@pytest.mark.parametrize("words", ["plan", "nope", "emulators nope -- cat --json"])
def test_a_usage_error_is_for_people_where_json_is_not_asked_for(words: str) -> None:
    done = CliRunner().invoke(main, words.split())
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: " in done.stderr
