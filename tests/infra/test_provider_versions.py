"""The components under mocks with the other major version of the provider's classes that the kit is kept ready for."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

OTHER = "4.0.0"
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sfoa-kit"
_INSTALL_SECONDS, _RUN_SECONDS = 120, 400

# What a test that builds components takes: every test of this folder with one of these is run, and no other.
MOCKED = {"stand", "recorder"}

# Says first which classes it runs with: what is installed beside pytest must not pass for the other version. Says last
# of which files tests were run.
_RUN = f"""
import sys
from importlib.metadata import version
import pulumi_alicloud, pytest

class Mocked:
    files = set()

    def pytest_collection_modifyitems(self, config, items):
        others = [item for item in items if not {MOCKED!r} & set(item.fixturenames)]
        items[:] = [item for item in items if item not in others]
        config.hook.pytest_deselected(items=others)
        self.files = {{item.path.name for item in items}}

print("with", version("pulumi-alicloud"), pulumi_alicloud.__file__, flush=True)
mocked = Mocked()
code = pytest.main(sys.argv[1:], plugins=[mocked])
print(*sorted(mocked.files))
sys.exit(code)
"""


def installed(wanted: str) -> Path:
    """Return a folder to import a version of pulumi-alicloud from, in the user's cache; skip where none can be had.

    It is there whole or not at all: made beside, and renamed.
    """
    home = CACHE / f"pulumi-alicloud-{wanted}"
    if home.is_dir():
        return home
    CACHE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=CACHE) as made:
        packages = Path(made) / "packages"
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check"]
        command += ["--target", str(packages), f"pulumi-alicloud=={wanted}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.skip(f"not run: pip took more than {_INSTALL_SECONDS} s for pulumi-alicloud {wanted}")
        if done.returncode:
            pytest.skip(f"not run: pip has no pulumi-alicloud {wanted}: {done.stderr.strip().splitlines()[-1:]}")
        try:
            packages.rename(home)
        except OSError:
            if not home.is_dir():  # else another run was faster
                raise
    return home


def test_the_kit_itself_runs_with_another_version() -> None:
    assert version("pulumi-alicloud") != OTHER


def test_every_test_of_components_under_mocks_passes_with_the_next_major_version_of_the_classes() -> None:
    folder = installed(OTHER)
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-c", _RUN, "-q", "-n", "0", "-p", "no:cacheprovider", "tests/infra"],
        cwd=ROOT,
        env={**outside, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=_RUN_SECONDS,
    )
    said = done.stdout + done.stderr
    assert done.stdout.startswith(f"with {OTHER} {folder}{os.sep}"), said
    assert done.returncode == pytest.ExitCode.OK, said
    assert " passed" in said
    assert "skipped" not in said, said
    assert set(done.stdout.splitlines()[-1].split()) == {file.name for file in HERE.rglob("test_*.py") if builds(file)}


def builds(file: Path) -> bool:
    """Whether a test or a fixture of a file takes one that builds components."""
    arguments = (
        argument.arg
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        for argument in node.args.args
    )
    return not MOCKED.isdisjoint(arguments)
