from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CCI = str(Path(sys.executable).parent / "cci")


def cci(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run cci in this project, as a user who never ran it before."""
    (home / ".cumulusci").mkdir(parents=True, exist_ok=True)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("SFOA_", "CUMULUSCI_"))},
        "HOME": str(home),
        "CUMULUSCI_AUTO_DETECT": "1",
        "CUMULUSCI_REPO_ROOT": str(ROOT),
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    return subprocess.run([CCI, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("user")


def test_the_flows_are_listed_with_what_they_do(home: Path) -> None:
    listed = cci(home, "flow", "list").stdout
    assert "promote" in listed
    assert "validate" in listed


def test_a_run_without_a_key_says_what_to_set_and_shows_no_traceback(home: Path) -> None:
    done = cci(home, "flow", "run", "promote", "--org", "china-uat")
    assert done.returncode == 1
    assert "SFOA_JWT_KEY_FILE" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_an_entry_to_go_back_to_is_refused_where_no_rollback_is_planned(home: Path) -> None:
    done = cci(home, "task", "run", "plan", "--org", "china-uat", "--to", "3")
    assert done.returncode == 1
    assert "add `--rollback True`" in " ".join((done.stdout + done.stderr).split())


def test_where_no_update_can_be_looked_for_cci_asks_once_and_not_each_time(home: Path) -> None:
    cci(home, "org", "list")
    assert "Error checking cci version" not in cci(home, "org", "list").stderr


def test_an_org_of_the_federation_is_not_removed_with_cci(home: Path) -> None:
    done = cci(home, "org", "remove", "china-uat")
    assert done.returncode == 1
    assert "federation.yml" in " ".join((done.stdout + done.stderr).split())


def test_no_secret_is_stored_where_there_is_no_key_to_encrypt_it_with(home: Path) -> None:
    done = cci(home, "service", "connect", "github", "mine", "--username", "u", "--email", "e@x.y", "--token", "t")
    assert done.returncode == 1
    assert not list(home.rglob("*.service"))
