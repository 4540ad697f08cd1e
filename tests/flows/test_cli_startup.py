"""What a command loads before it answers: libraries are counted, not seconds, so a busy machine changes nothing."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows import cli, commands
from flows.cli import main
from tests.flows.source_samples import container, write, xml

ROOT = Path(__file__).parents[2]
HEAVY = {
    "alibabacloud_oss_v2",
    "cryptography",
    "cumulusci",
    "jwt",
    "lxml",
    "pulumi",
    "pulumi_alicloud",
    "pydantic",
    "requests",
    "rich",
    "yaml",
}
PROGRAM = """
import contextlib, io, json, sys
from flows.cli import main
with contextlib.redirect_stdout(io.StringIO()) as said:
    try:
        main(sys.argv[1:])
    except SystemExit as end:
        assert not end.code, end.code
assert said.getvalue(), "the command said nothing"
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def loaded(*command: str) -> set[str]:
    """Return which heavy libraries a command has loaded when it is done."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return HEAVY & set(json.loads(done.stdout))


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_the_command_introduces_itself_without_loading_anything_heavy(flag: str) -> None:
    assert loaded(flag) == set()


def test_the_help_of_the_emulators_loads_nothing_heavy() -> None:
    assert loaded("emulators", "--help") == set()


def test_looking_at_the_federation_loads_what_reads_the_file_and_no_more() -> None:
    assert loaded("federation", "show", "--json") == {"pydantic", "yaml"}


def test_the_toolchain_is_shown_without_an_http_client() -> None:
    assert loaded("toolchain", "--help") <= {"pydantic", "yaml"}


@pytest.mark.parametrize("command", ["plan", "ledger", "summary", "doctor", "bundle"])
def test_the_help_of_a_command_of_the_engine_loads_neither_cloud_nor_org_clients(command: str) -> None:
    assert loaded(command, "--help") <= {"pydantic", "yaml", "lxml"}


def test_the_help_says_of_each_command_what_the_command_says_of_itself() -> None:
    shown = " ".join(CliRunner().invoke(main, ["--help"]).output.split())
    for entry in importlib.metadata.entry_points(group="sfoa.commands"):
        # How much of it is shown depends on the width: this much always is.
        assert f"{entry.name} {entry.load().get_short_help_str(60).removesuffix('...')}" in shown


def test_a_command_found_by_its_modules_name_is_the_one_that_its_entry_point_names() -> None:
    found = {}
    for file in Path(commands.__file__).parent.glob("*.py"):
        if command := cli._of_this_package(file.stem):
            found[file.stem] = command
    assert "convert" in found
    declared = {entry.name: entry.load() for entry in importlib.metadata.entry_points(group="sfoa.commands")}
    assert found == {name: declared.get(name) for name in found}


def test_converting_loads_nothing_that_reads_entry_points_or_makes_trees(tmp_path: Path) -> None:
    project = json.dumps({"packageDirectories": [{"path": "app"}], "sourceApiVersion": "64.0"})
    files = {"app/classes/A.cls": "class A {}", "app/classes/A.cls-meta.xml": xml("ApexClass", apiVersion="64.0")}
    labels = container("CustomLabels", "<labels><fullName>L</fullName><value>标</value></labels>")
    files["app/labels/CustomLabels.labels-meta.xml"] = labels
    source = write(tmp_path / "project", {"sfdx-project.json": project, **files})
    code = (
        "import sys; from flows.cli import main; main(sys.argv[1:], standalone_mode=False);"
        "print(sorted({'importlib.metadata', 'lxml', 'hashlib', 'zipfile', 'difflib'} & set(sys.modules)))"
    )
    out = str(tmp_path / "out.zip")
    command = [sys.executable, "-c", code, "convert", "--source", str(source), "--out", out, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
