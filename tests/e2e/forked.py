"""Runs the project's commands, the real `cci` and `sfoa`, in processes that are forked off one which has loaded their
modules: loading takes two seconds of a processor each time, and a story of twenty commands needn't pay it twenty times.

Each command has its own process, environment, working directory and output, as if it had been started by a shell.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn

ROOT = Path(__file__).parents[2]
PROGRAMS = ("cci", "sfoa")
LOADED = (
    *("flows.tasks.publish", "flows.tasks.release", "flows.tasks.bringhome", "flows.tasks.keychain"),
    *("flows.ossbucket", "flows.removals", "secretstorage", "netrc"),  # what they load when they need it
)
COMMANDS = ("plan", "drift", "ledger", "approve")


class Forks:
    """A process that has everything loaded, and does nothing but fork."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.forked"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, command: Sequence[str], cwd: Path, env: dict[str, str], timeout: float = 300, *, merged: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, as `subprocess.run` does; `merged` puts stderr where stdout goes."""
        assert self._process.stdin
        assert self._process.stdout
        with self._lock, tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "out" if merged else "err")
            asked = {"command": list(command), "cwd": str(cwd), "env": env, "out": str(out), "err": str(err)}
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            ready, _, _ = select.select([self._process.stdout], [], [], timeout)
            assert ready, f"{command}: not done after {timeout} seconds"
            code = int(self._process.stdout.readline())
            told = (out.read_text(encoding="utf-8"), "" if merged else err.read_text(encoding="utf-8"))
        return subprocess.CompletedProcess(list(command), code, *told)

    def end(self) -> None:
        """Let the process go."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=10)


@cache
def forks() -> Forks:
    """Return the one of this test process, which ends it."""
    made = Forks()
    atexit.register(made.end)
    return made


def serve() -> None:
    """Fork a child for each line of the input, and print its exit code. In the child, run the command."""
    scripts: dict[str, Callable[[], object]] = {
        one.name: one.load() for one in entry_points(group="console_scripts") if one.name in PROGRAMS
    }
    for module in LOADED:
        import_module(module)
    for one in entry_points(group="sfoa.commands"):
        if one.name in COMMANDS:
            one.load()
    read_cci_s_own_settings()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            become(asked, scripts)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def read_cci_s_own_settings() -> None:
    """Have CumulusCI read the settings that it brings along, most of what it does at each start; and none of a home."""
    from cumulusci.core.config import UniversalConfig

    own = os.environ["HOME"]
    with tempfile.TemporaryDirectory() as empty:
        os.environ["HOME"] = empty
        UniversalConfig()
    os.environ["HOME"] = own


def become(asked: dict[str, Any], scripts: dict[str, Callable[[], object]]) -> NoReturn:
    """Be the process of a command, to its end."""
    for target, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, asked["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        (2, asked["err"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
    ):
        opened = os.open(path, flags)
        os.dup2(opened, target)
        os.close(opened)
    os.environ.clear()
    os.environ.update(asked["env"])
    assert not Path.home().joinpath(".cumulusci", "cumulusci.yml").exists(), "settings were read without a home's own"
    os.chdir(asked["cwd"])
    sys.argv = asked["command"]
    end_after(scripts[Path(sys.argv[0]).name])


def end_after(script: Callable[[], object]) -> NoReturn:
    """Run a script and end the process as the interpreter does, but for taking apart all that was loaded before the
    fork: that alone takes half a second of a processor."""
    try:
        code = script()
    except SystemExit as left:
        code = left.code
    except BaseException:
        traceback.print_exc()
        code = 1
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join()
    atexit._run_exitfuncs()
    if isinstance(code, str):
        print(code, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    serve()
