"""`sfoa emulators` with a real background process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emulators import lifecycle
from emulators.cli import emulators
from emulators.lifecycle import find


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    home = tmp_path / "home"
    monkeypatch.setenv("SFOA_HOME", str(home))
    yield home
    CliRunner().invoke(emulators, ["stop"])


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(emulators, arguments, input=stdin)


def start() -> dict[str, object]:
    started = run("start", "--port", "0", "--json")
    assert started.exit_code == 0, started.output
    result: dict[str, object] = json.loads(started.stdout)["result"]
    return result


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists() and "zombie" not in Path(f"/proc/{pid}/status").read_text()


def test_the_whole_life_of_the_emulators(home: Path) -> None:
    first = start()
    assert first["started"] is True
    again = start()
    assert (again["started"], again["pid"]) == (False, first["pid"])
    status = json.loads(run("status", "--json").stdout)["result"]
    assert (status["pid"], status["home"]) == (first["pid"], str(home))
    assert json.loads(run("seed", "-", "--json", stdin='{"orgs": []}').stdout)["result"] == {"orgs": 0}
    assert "back, empty" in run("reset").stdout
    assert run("stop").stdout.strip() == "Emulators stopped."
    assert not alive(int(str(first["pid"])))
    assert run("stop").exit_code == 0
    assert run("status").exit_code == 1


def test_of_two_who_start_at_once_both_get_the_same_emulators(home: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: lifecycle.start(home, 0), range(2)))
    assert len({instance.pid for instance, _ in both}) == 1
    assert sorted(new for _, new in both) == [False, True]


def test_after_a_kill_the_next_start_goes_on_with_the_same_state(home: Path) -> None:
    pid = int(str(start()["pid"]))
    run("seed", "-", stdin='{"orgs": []}')
    authority = (home / "emulators" / "ca.pem").read_bytes()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    stopped = run("status")
    assert (stopped.exit_code, "sfoa emulators start" in stopped.stderr) == (1, True)
    assert start()["started"] is True
    assert json.loads(run("reset", "--json").stdout)["result"]["seeded"] is True
    assert (home / "emulators" / "ca.pem").read_bytes() == authority


def test_a_pid_that_is_another_program_s_by_now_is_no_obstacle(home: Path) -> None:
    (home / "emulators").mkdir(parents=True)
    (home / "emulators" / "server.json").write_text(json.dumps({"pid": os.getpid(), "port": 1}))
    assert find(home) is None
    assert start()["started"] is True


def test_a_taken_port_is_named_with_the_way_out(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0)
        port = str(other.getsockname()[1])
        refused = run("start", "--port", port)
    assert refused.exit_code == 1
    assert f"port {port}" in refused.stderr
    assert "--port N" in refused.stderr


def test_a_port_of_another_home_s_emulators_says_whose_it_is(home: Path, tmp_path: Path) -> None:
    port = str(start()["port"])
    refused = CliRunner().invoke(emulators, ["start", "--port", port], env={"SFOA_HOME": str(tmp_path / "second")})
    assert refused.exit_code == 1
    assert str(home) in refused.stderr


def test_a_home_that_cannot_be_written_is_refused(home: Path) -> None:
    home.write_text("a file, no folder")
    refused = run("start", "--port", "0")
    assert (refused.exit_code, "SFOA_HOME" in refused.stderr) == (1, True)


def test_a_command_runs_in_the_environment_and_its_exit_code_is_kept(home: Path) -> None:
    refused = run("run", "--", "true")
    assert (refused.exit_code, "sfoa emulators start" in refused.stderr) == (1, True)
    port = start()["port"]
    script = (
        "import json, os, sys, urllib.request as u;"
        "json.dump(dict(os.environ), open('env.json', 'w'));"
        "u.urlopen('https://emulators.sfoa.internal/status');"
        "sys.exit(7)"
    )
    program = [sys.executable, "-c", "from emulators.cli import emulators; emulators()"]
    done = subprocess.run(
        [*program, "run", "--", sys.executable, "-c", script],
        cwd=home,
        env={**os.environ, "ALIBABA_CLOUD_SECURITY_TOKEN": "real"},
    )
    assert done.returncode == 7
    seen = json.loads((home / "env.json").read_text())
    assert seen["HTTPS_PROXY"] == seen["https_proxy"] == f"http://127.0.0.1:{port}"
    assert seen["SSL_CERT_FILE"] == str(home / "emulators" / "ca.pem")
    assert seen["PULUMI_BACKEND_URL"] == f"file://{home}/pulumi-state"
    assert (home / "pulumi-state").is_dir()
    assert "ALIBABA_CLOUD_SECURITY_TOKEN" not in seen
    assert run("run", "--", "no-such-command").exit_code == 1


def test_refused_hosts_show_in_the_requests(home: Path) -> None:
    start()
    script = "import urllib.request as u\ntry: u.urlopen('http://www.example.com/')\nexcept OSError: pass"
    run("run", "--", sys.executable, "-c", script)
    assert "www.example.com" in run("requests").stdout
