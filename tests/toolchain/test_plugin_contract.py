"""The plugin that we build serves what `infra/` uses, under the names that pulumi_alicloud's classes send."""

import ast
import importlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pulumi_alicloud
import pytest
from pulumi._types import input_type_py_to_pulumi_names, resource_types

from toolchain.find import find_plugin
from toolchain.pins import pins

TABLE: dict[str, str] = json.loads(Path("toolchain/plugin/resources.json").read_text())


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    plugin = find_plugin()
    assert plugin is not None, "no plugin: run `sfoa toolchain ensure`"
    if plugin.way != "built":
        pytest.skip("the official plugin is in use; its own build held it against the same classes")
    done = subprocess.run([str(plugin.path), "-describe"], capture_output=True, check=True)
    about: dict[str, Any] = json.loads(done.stdout)
    return about


def python_class(token: str) -> tuple[Any, Any]:
    _, place, name = token.split(":")
    module, member = place.split("/")
    file = re.sub(r"(?<!^)(?=[A-Z])", "_", member).lower()
    # The package first: it is loaded on first use, and a file of it that is imported before leaves it empty for good.
    getattr(getattr(pulumi_alicloud, module), name)
    found = importlib.import_module(f"pulumi_alicloud.{module}.{file}")
    # Where a nested type took the name `…Args`, the resource's own arguments are called `…InitArgs`.
    return getattr(found, name), vars(found).get(f"{name}InitArgs") or getattr(found, f"{name}Args")


@pytest.mark.parametrize("token", sorted(TABLE.values()))
def test_the_plugin_takes_and_gives_every_property_of_the_class(token: str, described: dict[str, Any]) -> None:
    resource, arguments = python_class(token)
    inputs = set(input_type_py_to_pulumi_names(arguments).values())
    assert inputs - set(described[token]["inputs"]) == set()
    assert set(resource_types(resource)) - set(described[token]["outputs"]) == set()


@pytest.mark.parametrize("token", sorted(TABLE.values()))
def test_the_plugin_has_no_property_that_the_class_lacks(token: str, described: dict[str, Any]) -> None:
    resource, arguments = python_class(token)
    assert set(described[token]["inputs"]) - set(input_type_py_to_pulumi_names(arguments).values()) == set()
    assert set(described[token]["outputs"]) - set(resource_types(resource)) == set()


def token_of(call: ast.Attribute) -> str | None:
    """The token of `ali.vpc.Network(…)`; None for any other call."""
    owner, name = call.value, call.attr
    if name.startswith("get_") or name.endswith("Args") or not isinstance(owner, ast.Attribute):
        return None
    if not isinstance(owner.value, ast.Name) or owner.value.id != "ali":
        return None
    return f"alicloud:{owner.attr}/{name[0].lower()}{name[1:]}:{name}"


def test_every_resource_that_infra_uses_is_in_the_table() -> None:
    calls = [
        node.func
        for file in Path("infra").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    used = {token for call in calls if (token := token_of(call))}
    assert used, "infra/ uses no alicloud resource at all?"
    assert used - set(TABLE.values()) == set()


def test_the_go_modules_pin_what_the_python_packages_pin() -> None:
    assert f"github.com/pulumi/pulumi/pkg/v3 v{pins().pulumi}" in Path("toolchain/engine/go.mod").read_text()
    bridged = Path("toolchain/plugin/go.mod").read_text()
    assert "github.com/aliyun/terraform-provider-alicloud v1.285.0" in bridged
    # pulumi-alicloud 3.105.0 wraps exactly provider 1.285.0 (its release notes, 2026-10); a new pin needs both.
    assert pins().alicloud == "3.105.0"
