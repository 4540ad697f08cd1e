"""Starting, finding, asking and stopping the emulators' background process."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.problems import Problem, Refused

DEFAULT_PORT = 4577
_READY_SECONDS = 30.0
_ANSWER_SECONDS = 5.0
_SLOW_ANSWER_SECONDS = 120.0  # seeding or resetting a large world


@dataclass(frozen=True)
class Instance:
    """Emulators that run for `home`."""

    home: Path
    port: int
    pid: int

    def ask(self, method: str, path: str, body: bytes = b"") -> Any:
        """Return the admin host's answer to a request. Raises `Refused` when there is none or it says no."""
        try:
            status, answer = _exchange(self.port, method, path, body, _SLOW_ANSWER_SECONDS)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Refused(
                Problem(
                    f"the emulators (process {self.pid}, port {self.port}) do not answer: {type(error).__name__}",
                    "they answer while they run",
                    f"see {_log(self.home)}, then: sfoa emulators stop, sfoa emulators start",
                )
            ) from error
        if status >= http.client.BAD_REQUEST:
            raise Refused([_problem(item) for item in answer["problems"]])
        return answer


def find(home: Path) -> Instance | None:
    """Return the emulators that run for `home`; None when there are none. What a killed process left is no obstacle."""
    try:
        noted = json.loads(_run_file(home).read_text(encoding="utf-8"))
        pid, port = int(noted["pid"]), int(noted["port"])
    except (OSError, ValueError, KeyError):
        return None
    # The pid alone proves nothing: after a reboot it is another program's.
    status = _status(port)
    if status and status["pid"] == pid and status["home"] == str(home.resolve()):
        return Instance(home, port, pid)
    return None


def require(home: Path) -> Instance:
    """Return the running emulators. Raises `Refused` with what to do when there are none."""
    found = find(home)
    if found is None:
        raise Refused(Problem(f"no emulators run for {home}", "they must be running", "sfoa emulators start"))
    return found


def start(home: Path, port: int) -> tuple[Instance, bool]:
    """Start the emulators in the background and wait until they answer; return them and whether they are new.

    Raises `Refused` when the port is taken, the home can't be written, or the process ends at once.
    """
    running = find(home)
    if running is not None:
        return running, False
    _refuse_other_owner(home, port)
    log = _log(home)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out:
            command = [sys.executable, "-m", "emulators.server", "--home", str(home), "--port", str(port)]
            # Why it refuses comes through the pipe: on a full disk the log takes nothing.
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=out, start_new_session=True
            )
    except OSError as error:
        raise Refused(
            Problem(
                f"cannot write {log.parent}: {error.strerror}",
                "the emulators need a writable home with free disk space",
                "free some space, mend the permissions, or set SFOA_HOME to another folder",
            )
        ) from error
    last = time.monotonic() + _READY_SECONDS
    while time.monotonic() < last:
        running = find(home)
        if running is not None:
            return running, running.pid == process.pid
        if process.poll() is not None and not _others_start(home):
            raise _ended(process, log)
        time.sleep(0.05)
    process.kill()
    raise Refused(
        Problem(f"the emulators did not answer within {_READY_SECONDS:.0f} s", "they do in 1 s", f"see {log}")
    )


def stop(home: Path) -> bool:
    """Stop the emulators and wait until their process is gone; return whether there were any."""
    running = find(home)
    if running is None:
        return False
    running.ask("POST", "/stop")
    last = time.monotonic() + 2 * _ANSWER_SECONDS
    while _alive(running.pid):
        if time.monotonic() > last:
            with contextlib.suppress(ProcessLookupError):
                os.kill(running.pid, 9)
            last = time.monotonic() + 2 * _ANSWER_SECONDS
        time.sleep(0.02)
    return True


def _others_start(home: Path) -> bool:
    """Return whether another process holds the home: one that was started at the same moment, and won."""
    try:
        with (home / "emulators" / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _refuse_other_owner(home: Path, port: int) -> None:
    status = _status(port) if port else None
    if status:
        raise Refused(
            Problem(
                f"port {port} is taken by the emulators of {status['home']} (process {status['pid']})",
                "one port, one home",
                f"SFOA_HOME={status['home']} sfoa emulators stop, or: sfoa emulators start --port N",
                value=f"home {home}",
            )
        )


def _ended(process: subprocess.Popen[bytes], log: Path) -> Refused:
    said = process.communicate()[0].decode(errors="replace")
    try:
        return Refused([_problem(item) for item in json.loads(said)])
    except (ValueError, TypeError, KeyError):
        logged = log.read_text(encoding="utf-8", errors="replace").strip()
        last = logged.splitlines()[-1] if logged else "it said nothing"
        return Refused(Problem(f"the emulators ended at once: {last}", "they stay", f"see {log}"))


def _problem(item: dict[str, str]) -> Problem:
    return Problem(item["what"], item["rule"], item["fix"], value=item.get("value", ""))


def _status(port: int) -> dict[str, Any] | None:
    """Return what answers as emulators on a port says of itself; None when nothing does."""
    try:
        _, status = _exchange(port, "GET", "/status", b"", _ANSWER_SECONDS)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return status if isinstance(status, dict) and {"home", "pid", "port"} <= status.keys() else None


def _exchange(port: int, method: str, path: str, body: bytes, seconds: float) -> tuple[int, Any]:
    """Return status and JSON of an answer. The user's proxy is not asked: it is not for a port of this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def _alive(pid: int) -> bool:
    """Return whether a process runs. A zombie child of ours is reaped here, and runs no longer."""
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _run_file(home: Path) -> Path:
    return home / "emulators" / "server.json"


def _log(home: Path) -> Path:
    return home / "emulators" / "server.log"
