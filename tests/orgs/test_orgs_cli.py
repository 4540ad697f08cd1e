"""`sfoa federation`: what it prints, and the key pair that it makes."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kit.problems import Refused
from orgs.cli import federation
from orgs.federation import DEFAULT_FILE
from orgs.runnerkey import ensure_runner_key
from orgs.schema import SCHEMA_FILE, schema_text


def run(*args: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(federation, [str(arg) for arg in args])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def key_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runner")
    ensure_runner_key(folder)
    return folder


def test_the_committed_schema_is_the_one_of_the_model() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run: sfoa federation schema > " + str(SCHEMA_FILE)


def test_the_shipped_file_fits_its_schema_and_a_faulty_one_does_not() -> None:
    schema = json.loads(schema_text())
    data = json.loads(json.dumps(yaml.safe_load(DEFAULT_FILE.read_text(encoding="utf-8")), default=str))
    jsonschema.validate(data, schema)
    data["orgs"][0]["edition"] = "moon"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema)


def test_check_accepts_the_shipped_file() -> None:
    code, out, _ = run("check")
    assert code == 0
    assert "7 orgs in 5 rings" in out


def test_check_takes_its_file_as_show_does_too_and_only_once(tmp_path: Path) -> None:
    assert run("check", "--file", DEFAULT_FILE) == run("check", DEFAULT_FILE)
    code, _, err = run("check", "--file", tmp_path / "none.yml")
    assert (code, "none.yml" in err) == (1, True)
    code, _, err = run("check", DEFAULT_FILE, "--file", DEFAULT_FILE)
    assert (code, "choose one" in err) == (2, True)


def test_check_says_every_problem_as_json(tmp_path: Path) -> None:
    file = tmp_path / "f.yml"
    file.write_text(DEFAULT_FILE.read_text(encoding="utf-8").replace("CHN5S", "NA1").replace("ring: 3", "ring: 9"))
    code, out, err = run("check", file, "--json")
    envelope = json.loads(out)
    assert (code, envelope["status"]) == (1, 1)
    assert len(envelope["problems"]) >= 2
    assert all({"what", "rule", "fix", "file", "line"} <= problem.keys() for problem in envelope["problems"])
    assert "no sandbox instance" in err


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    code, _, err = run("check", tmp_path / "none.yml")
    assert code == 1
    assert "none.yml" in err


def test_show_prints_every_org_with_its_host() -> None:
    code, out, _ = run("show", "--json")
    rings = json.loads(out)["result"]["rings"]
    by_name = {org["name"]: org for ring in rings for org in ring}
    assert code == 0
    assert by_name["china-uat"]["hosts"]["my_domain"] == "acme-cn--uat.sandbox.my.sfcrmproducts.cn"
    assert by_name["global-production"]["jwt_audience"] == "https://login.salesforce.com"
    code, out, _ = run("show")
    assert code == 0
    assert all(name in out for name in by_name)


def test_the_world_tells_the_emulator_who_may_log_in_where(key_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "world.json"
    code, stdout, _ = run("world", "--certificate", key_folder / "runner.crt", "--out", out)
    assert (code, stdout) == (0, "")
    orgs = {org["name"]: org for org in json.loads(out.read_text(encoding="utf-8"))["orgs"]}
    certificate = orgs["china-uat"]["connected_apps"][0].pop("certificate")
    assert orgs["china-uat"] == {
        "name": "china-uat",
        "edition": "alibaba",
        "kind": "sandbox",
        "my_domain_host": "acme-cn--uat.sandbox.my.sfcrmproducts.cn",
        "login_host": "test.sfcrmproducts.cn",
        "audience": "https://test.sfcrmproducts.cn",
        "instance": "CHN3S",
        "language": "zh_CN",
        "api_versions": {"floor": 31, "ceiling": 67},
        "users": [
            {"username": f"{name}@acme-cn.example.uat", "profile": "System Administrator"}
            for name in ("release.runner", "break.glass.one", "break.glass.two")
        ],
        "connected_apps": [{"client_id": "SFOA_RELEASE_RUNNER"}],
    }
    assert certificate == (key_folder / "runner.crt").read_text()


def test_a_private_key_never_gets_into_the_world(key_folder: Path) -> None:
    code, out, err = run("world", "--certificate", key_folder / "runner.key")
    assert (code, out) == (1, "")
    assert "PRIVATE KEY" not in err.replace("private key", "")


def test_the_runner_s_key_is_for_its_owner_only_and_fits_its_certificate(key_folder: Path) -> None:
    key_file = key_folder / "runner.key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    key = load_pem_private_key(key_file.read_bytes(), None)
    certificate = x509.load_pem_x509_certificate((key_folder / "runner.crt").read_bytes())
    assert key.public_key() == certificate.public_key()


def test_an_existing_key_is_kept(key_folder: Path) -> None:
    before = (key_folder / "runner.key").read_bytes()
    code, out, _ = run("runner-key", "--out", key_folder, "--json")
    assert (code, json.loads(out)["result"]["made"]) == (0, False)
    assert (key_folder / "runner.key").read_bytes() == before


def test_half_a_key_pair_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runner.crt").write_text("x")
    with pytest.raises(Refused, match=r"runner\.key is missing"):
        ensure_runner_key(tmp_path)
    assert not (tmp_path / "runner.key").exists()
