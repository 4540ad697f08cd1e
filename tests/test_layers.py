"""Imports point one way: what lies to the right in the design is read by nothing on its left."""

import ast
from pathlib import Path

import pytest

# Which packages of ours a package may import, and by whom the two heavy libraries may be imported at all.
MAY = {
    "kit": set(),
    "orgs": {"kit"},
    "infra": {"kit", "orgs"},
    "flows": {"kit", "orgs", "infra.outputs"},
    "emulators": {"kit"},
    "toolchain": {"kit"},
    "pipelines": {"kit"},
}
ONLY = {
    "pulumi_alicloud": "infra/",
    "pulumi_policy": "infra/policy/pack.py",
    "pulumi": "infra/",
    "cumulusci": "flows/tasks/",
}
# Modules of infra/ that flows and the `sfoa` command read, or that decide without an engine.
ENGINE_FREE = {
    *("infra/outputs.py", "infra/labels.py", "infra/subnets.py", "infra/rules.py", "infra/limits.py"),
    *("infra/commands.py", "infra/explain.py", "infra/outputspage.py"),
    *(file.as_posix() for file in Path("infra/topology").glob("*.py")),
    *(file.as_posix() for file in Path("infra/sections").glob("*.py")),
    *(file.as_posix() for file in Path("infra/policy").glob("*.py") if file.name != "pack.py"),
}

FILES = sorted(file for package in MAY for file in Path(package).rglob("*.py"))


def imported(file: Path) -> list[tuple[str, int]]:
    """Every module that a file imports, at any depth of its code, with the line."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative import"
            found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    return found


def within(module: str, allowed: str) -> bool:
    return module == allowed or module.startswith(allowed + ".")


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_file_imports_only_what_its_layer_may(file: Path) -> None:
    package = file.parts[0]
    for module, line in imported(file):
        if module.split(".")[0] in MAY.keys() - {package}:
            allowed = any(within(module, other) for other in MAY[package])
            assert allowed, f"{file}:{line}: {package} imports {module}"


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_heavy_library_is_imported_only_where_it_belongs(file: Path) -> None:
    for module, line in imported(file):
        for library, place in ONLY.items():
            if within(module, library):
                assert file.as_posix().startswith(place), f"{file}:{line} imports {library}"
                assert file.as_posix() not in ENGINE_FREE, f"{file}:{line}: this module works without an engine"


def test_the_rule_sees_every_package_of_the_project() -> None:
    packages = {path.parent.name for path in Path().glob("*/__init__.py")}
    assert packages - {"tests", "benchmarks"} == set(MAY)
