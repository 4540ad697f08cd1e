"""A disk without space: what a user is told, and that nothing is lost.

A limit on the size of files stands in for the full disk: to SQLite and to Python it is the same, a write that fails.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result

from emulators.cli import emulators
from emulators.lifecycle import Instance, find, start
from emulators.store import Store

PROGRAM = [sys.executable, "-c", "from emulators.cli import emulators; emulators()"]
OAUTH = "http://login.sfcrmproducts.cn/services/oauth2/token"
# A bucket is one document: what the emulators must not forget.
WORLD = {"orgs": [{
    "name": "china-uat", "edition": "alibaba", "kind": "sandbox",
    "my_domain_host": "acme-cn--uat.sandbox.my.sfcrmproducts.cn", "login_host": "test.sfcrmproducts.cn",
    "audience": "https://test.sfcrmproducts.cn", "instance": "CHN3S", "language": "zh_CN",
    "api_versions": {"floor": 31, "ceiling": 67}, "users": [], "connected_apps": [],
}]}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    home = tmp_path / "home"
    monkeypatch.setenv("SFOA_HOME", str(home))
    yield home
    CliRunner().invoke(emulators, ["stop"])


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(emulators, arguments, input=stdin)


def most_bytes(limit: int, pid: int = 0) -> None:
    """Let no file of a process grow over `limit` bytes."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, hard))


def world_of(emulators: Instance) -> dict[str, int]:
    documents: dict[str, int] = emulators.ask("GET", "/status")["documents"]
    return documents


@pytest.mark.parametrize("free", [0, 100, 600, 3000, 5000])
def test_a_start_on_a_full_disk_says_so_and_the_next_one_goes_on(home: Path, free: int) -> None:
    full = subprocess.run(
        [*PROGRAM, "start", "--port", "0"],
        preexec_fn=lambda: most_bytes(free),
        capture_output=True,
        text=True,
        env={**os.environ, "CI": "1"},
    )
    assert full.returncode == 1, full.stdout
    assert str(home / "emulators") in full.stderr
    assert "free disk space" in full.stderr
    assert "Traceback" not in full.stderr
    assert find(home) is None
    again = run("start", "--port", "0")
    assert again.exit_code == 0, again.output


def test_a_write_on_a_full_disk_is_refused_and_leaves_everything_as_it_was(home: Path) -> None:
    running, _ = start(home, 0)
    assert run("seed", "-", stdin=json.dumps(WORLD)).exit_code == 0
    before = world_of(running)
    wal = home / "emulators" / "world.db-wal"
    most_bytes(wal.stat().st_size, running.pid)

    refused = run("seed", "-", stdin=json.dumps(_many_orgs()))
    assert refused.exit_code == 1
    assert str(home / "emulators") in refused.stderr
    assert "free" in refused.stderr
    reply = _ask_for_nothing(running)
    assert (reply.status_code, str(home / "emulators") in reply.text) == (507, True)
    assert world_of(running) == before

    most_bytes(resource.RLIM_INFINITY, running.pid)
    assert run("seed", "-", stdin=json.dumps(_many_orgs())).exit_code == 0
    after = world_of(running)
    assert after["salesforce.org"] == 200
    run("stop")
    assert world_of(start(home, 0)[0]) == after


@pytest.mark.parametrize("size", [1, 20_000_000])
def test_a_write_that_fails_takes_its_transaction_back(tmp_path: Path, size: int) -> None:
    """A small one fails when it is committed, a large one when SQLite's cache spills over."""
    script = f"""
import resource, sqlite3, sys
from pathlib import Path
from emulators.store import Store
file = Path({str(tmp_path)!r}) / "world.db"
store = Store(file)
store.put("kind", "kept", {{}})
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{{file}}-wal").stat().st_size, hard))
for _ in range(2):
    try:
        with store.transaction():
            store.put("kind", "lost", {{}})
            store.put_blob(bytes({size}))
    except sqlite3.OperationalError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
with store.transaction():
    store.put("kind", "later", {{}})
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == 2
    assert "transaction" not in done.stdout
    assert [ident for ident, _ in Store(tmp_path / "world.db").all("kind")] == ["kept", "later"]


def _many_orgs() -> dict[str, Any]:
    (org,) = WORLD["orgs"]
    hosts = [f"acme{number}.my.sfcrmproducts.cn" for number in range(199)]
    return {"orgs": [org, *({**org, "name": host, "my_domain_host": host} for host in hosts)]}


def _ask_for_nothing(running: Instance) -> requests.Response:
    """Return the answer to a call that has to be noted: an unknown action."""
    proxies = {"http": f"http://127.0.0.1:{running.port}"}
    return requests.get("http://vpc.cn-shanghai.aliyuncs.com/?Action=DescribeNothing", proxies=proxies)
