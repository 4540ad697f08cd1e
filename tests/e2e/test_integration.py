"""Integration with network and storage alone, under the real engine and the real provider."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from emulators.testing import Running, running
from toolchain.pins import cache_root

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
STACK = "integrated"
DOMAIN = "callbacks.acme.example"

PROGRAM = """\
import json

import pulumi

from infra.integration import Integration
from infra.network import Network
from infra.settings import read_settings
from infra.storage import Storage

with open("settings.json", encoding="utf-8") as file:
    settings = read_settings(json.load(file), {})
network = Network("network", settings)
storage = Storage("storage", settings)
integration = Integration("integration", settings, settings.integration, network, storage, None)
for key, value in integration.contract.items():
    pulumi.export(key, value)
"""
CONFIG = "config:\n  alicloud:region: cn-shanghai\n  alicloud:accountType: Domestic\n"


def settings() -> dict[str, str]:
    """Return the settings, with a certificate that is made for them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DOMAIN)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    certificate = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    sections = {
        "sfoa:network": {"cidr": "10.0.0.0/16", "zones": ["cn-shanghai-b", "cn-shanghai-f", "cn-shanghai-g"]},
        "sfoa:storage": {"ledger_retention_days": 1, "ledger_locked": False, "force_destroy": True},
        "sfoa:integration": {
            "origins": ["https://portal.acme.example"],
            "events": {},
            "callbacks": {
                "channels": ["official-account", "wecom"],
                "org": "china-uat",
                "secret": "acme/callbacks",
                "layer": "acs:fc:cn-shanghai:1234567890123456:layers/cryptography/versions/1",
                "domain": {"name": DOMAIN, "certificate": certificate, "private_key": private},
            },
        },
    }
    return {
        "alicloud:region": "cn-shanghai",
        "alicloud:accountType": "Domestic",
        "alicloud:accountId": "1234567890123456",
        "sfoa:company": "acme",
        "sfoa:environment": "test",
        **{key: json.dumps(value) for key, value in sections.items()},
    }


@dataclass(frozen=True)
class Ground:
    """A Pulumi project of the integration, and the emulators that it talks to."""

    root: Path
    clouds: Running

    def pulumi(self, *arguments: str) -> str:
        """Run the engine, which has to succeed, and return what it printed."""
        environment = {
            **os.environ,
            **self.clouds.environment,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.root),
            "SFOA_TOOLCHAIN_CACHE": str(cache_root()),
            "PYTHONPATH": str(ROOT),
            "CI": "true",
        }
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--stack", STACK],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def kept(self, kind: str) -> list[dict[str, Any]]:
        """Return what the emulated cloud holds of a kind."""
        return [document for _, document in self.clouds.store.all(kind)]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The stack, up."""
    root = tmp_path_factory.mktemp("integrated")
    (root / "Pulumi.yaml").write_text("name: integrated\nruntime: python\n", encoding="utf-8")
    (root / f"Pulumi.{STACK}.yaml").write_text(CONFIG, encoding="utf-8")
    (root / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    (root / "settings.json").write_text(json.dumps(settings()), encoding="utf-8")
    with running(root / "home") as clouds:
        (root / "home" / "pulumi-state").mkdir()
        made = Ground(root, clouds)
        made.pulumi("stack", "init")
        made.pulumi("up", "--yes", "--skip-preview")
        yield made


def test_what_stands_is_what_the_contract_says(ground: Ground) -> None:
    outputs = json.loads(ground.pulumi("stack", "output", "--json"))
    (bus,), (group,) = ground.kept("alicloud.event_bus"), ground.kept("alicloud.api_group")
    assert outputs["integration_event_bus"] == bus["id"]
    assert outputs["integration_endpoints"] == {"events": f"https://{group['SubDomain']}/events"}
    assert outputs["integration_origins"] == ["https://portal.acme.example"]
    assert outputs["integration_callbacks"] == {
        name: f"https://{DOMAIN}/{name}" for name in ("official-account", "wecom")
    }
    (rule,) = ground.kept("alicloud.event_rule")
    functions = {function["functionArn"]: function for function in ground.kept("fc.function")}
    keeper = functions[rule["targets"][0]["Endpoint"]]
    assert keeper["ossMountConfig"]["mountPoints"][0]["bucketName"] == outputs["integration_extracts_bucket"]
    (api,), (app,) = ground.kept("alicloud.api"), ground.kept("alicloud.api_app")
    assert (api["AuthType"], api["stages"], api["apps"]) == ("APP", ["RELEASE"], [[app["id"], "RELEASE"]])


def test_the_public_domain_has_waf_and_new_tls_and_its_function_no_other_door(ground: Ground) -> None:
    (domain,), (trigger,) = ground.kept("fc.domain"), ground.kept("fc.trigger")
    assert domain["wafConfig"] == {"enableWAF": True}
    assert (domain["protocol"], domain["tlsConfig"]["minVersion"]) == ("HTTPS", "TLSv1.2")
    assert len(ground.kept("alicloud.waf_instance")) == 1
    assert json.loads(trigger["triggerConfig"])["disableURLInternet"] is True


def test_the_certificate_s_key_stands_in_no_state_in_plain(ground: Ground) -> None:
    state = ground.pulumi("stack", "export")
    assert "BEGIN CERTIFICATE" in state
    assert "PRIVATE KEY" not in state


def test_a_second_look_finds_nothing_to_change(ground: Ground) -> None:
    ground.pulumi("preview", "--expect-no-changes")
    ground.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    ground.pulumi("preview", "--expect-no-changes")


def test_the_code_that_was_sent_starts_by_itself(ground: Ground, tmp_path: Path) -> None:
    """Unpacked where nothing else of ours is, as Function Compute does; the engine's state has the code."""
    resources = json.loads(ground.pulumi("stack", "export"))["deployment"]["resources"]
    functions = [row for row in resources if row["type"] == "alicloud:fc/v3Function:V3Function"]
    assert len(functions) == 2
    for row in functions:
        folder = tmp_path / row["inputs"]["functionName"]
        zipfile.ZipFile(io.BytesIO(base64.b64decode(row["inputs"]["code"]["zipFile"]))).extractall(folder)
        module, _, name = row["inputs"]["handler"].partition(".")
        check = f"import {module}, sys; assert callable({module}.{name}); print({module}.__file__)"
        clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder)}
        done = subprocess.run(
            [sys.executable, "-P", "-c", check], env=clean, cwd=folder, capture_output=True, text=True
        )
        assert done.stdout.strip() == str(folder / "index.py"), done.stderr


def test_destroy_leaves_nothing(ground: Ground) -> None:
    """The last test of the file."""
    ground.pulumi("destroy", "--yes", "--skip-preview")
    resources = json.loads(ground.pulumi("stack", "export"))["deployment"].get("resources", [])
    assert resources == []
    left = {kind for kind in ground.clouds.store.kinds() if kind.startswith(("alicloud.", "fc.", "oss."))}
    assert left <= {"alicloud.client_token", "alicloud.kms_key"}, left
