"""`sfoa doctor --stack` over a config that somebody copied from the example and broke."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infra.preflight import checks
from infra.stackfile import config_values
from kit.problems import Refused

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    shutil.copytree(ROOT / "orgs", tmp_path / "orgs", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copy(ROOT / "Pulumi.example-production.yaml", tmp_path / "Pulumi.polar.yaml")
    monkeypatch.chdir(tmp_path)
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY", "ALIBABA_CLOUD_ACCOUNT_ID"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def edit(project: Path, old: str, new: str) -> int:
    """Replace some text of the stack's file, and return the line that it stood in."""
    file = project / "Pulumi.polar.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def details(stack: str = "polar") -> list[str]:
    return [check.detail for check in checks(stack) if not check.ok and check.name == f"config of {stack}"]


def test_each_setting_that_is_wrong_is_told_with_its_line_its_value_and_the_rule(project: Path) -> None:
    zone = edit(project, "zones: [cn-shanghai-e", "zones: [cn-beijing-a")
    copies = edit(project, "redundancy: ZRS", "redundancy: XRS")
    assert details() == [
        (
            f"Pulumi.polar.yaml:{zone}: sfoa:network.zones.0: not a zone of the stack's region (got 'cn-beijing-a'); "
            "rule: zones of cn-shanghai are called cn-shanghai-a and so on"
        ),
        (
            f"Pulumi.polar.yaml:{copies}: sfoa:storage.redundancy: Input should be 'ZRS' or 'LRS' (got 'XRS'); "
            "rule: one of 'ZRS' or 'LRS'"
        ),
    ]


def test_a_slip_in_the_syntax_is_told_with_its_line(project: Path) -> None:
    line = edit(project, "    cidr: 10.40.0.0/16", "\tcidr: 10.40.0.0/16")
    (detail,) = details()
    assert detail.startswith(f"Pulumi.polar.yaml:{line}: not YAML")


def test_the_examples_placeholder_of_a_secret_is_found_before_the_engine_fails_to_decrypt_it(project: Path) -> None:
    (found,) = [check for check in checks("polar") if check.name == "config of polar" and not check.ok]
    setting = "sfoa:integration.callbacks.domain.private_key"
    assert f"{setting}: no ciphertext" in found.detail
    assert found.fix == f"set your own: pulumi config set --stack polar --secret --path '{setting}' < FILE"
    edit(project, "v1:AAAAAAAAAAAAAAAA:AAAA", "v1:GO0ljyZFLEFZt6xB:2o/0/Np1z9U9mptzVGgOvi9aJX1w8qAgZyDsG0fBKamp")
    assert not details()


@pytest.mark.parametrize("text", ["", "- a list\n"], ids=["an empty file", "a list"])
def test_a_file_without_config_is_not_said_to_be_absent(project: Path, text: str) -> None:
    (project / "Pulumi.polar.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Refused) as refused:
        config_values(project, "polar")
    assert "Pulumi.polar.yaml holds no config" in refused.value.problems[0].what
