"""Builds the engine, the Python host and the plugin from published Go modules, into the cache."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kit.problems import Problem, Refused
from toolchain.find import PLUGIN, plugin_folder
from toolchain.pins import ROOT, cache_root, piece_dir, pins

THREE_WAYS = (
    "either (1) install Pulumi the official way and put `pulumi` on PATH (https://www.pulumi.com/docs/install/), "
    "or (2) let this machine reach Pulumi's installer and plugin downloads, "
    "or (3) have Go {go} or later, a reachable Go module proxy, {disk} GiB of disk and {memory} GiB of memory, "
    "and run this again: it then builds them from published modules"
)

# A step that was done: how many packages have been compiled so far, of how many at most.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Binary:
    folder: str
    package: str
    name: str
    flags: tuple[str, ...]


def build(piece: str, progress: Progress) -> Path:
    """Build a piece and return its folder in the cache; a piece that is there already is not built again.

    Raises `Refused` when Go, disk or network is missing, naming all three ways to get the toolchain.
    """
    target = piece_dir(piece)
    with _lock(piece):
        if target.is_dir():
            return target
        _check_machine()
        scratch = Path(tempfile.mkdtemp(prefix=f".{piece}-", dir=cache_root()))
        try:
            if piece == "engine":
                _build_engine(scratch, progress)
            else:
                _build_plugin(scratch, progress)
            scratch.chmod(0o755)
            scratch.rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return target


def _build_engine(into: Path, progress: Progress) -> None:
    version_flag = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{pins().pulumi}"
    engine = _Binary(
        "engine",
        "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        "pulumi",
        ("-tags", "osusergo,grpcnotrace", "-ldflags", f"-w -s {version_flag}"),
    )
    host = _Binary(
        "host",
        "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
        "pulumi-language-python",
        ("-ldflags", "-w -s"),
    )
    for binary in (engine, host):
        _go_build(binary, into / "bin", progress)
    # The host runs the program through this script, and dynamic providers through the other; both are of the SDK's
    # own version, not of the older host's.
    sdk = Path(_go("engine", "list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3").strip())
    for script in ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python"):
        copied = into / "bin" / Path(script).name
        shutil.copyfile(sdk / script, copied)
        copied.chmod(0o755)


def _build_plugin(into: Path, progress: Progress) -> None:
    flags = ("-ldflags", f"-w -s -X main.version={pins().alicloud}")
    _go_build(_Binary("plugin", ".", PLUGIN, flags), into / "home" / "plugins" / plugin_folder(), progress)


def _go_build(binary: _Binary, into: Path, progress: Progress) -> None:
    into.mkdir(parents=True, exist_ok=True)
    total = len(_go(binary.folder, "list", "-deps", binary.package).split())
    command = ["go", "build", "-v", "-trimpath", *binary.flags, "-o", str(into / binary.name), binary.package]
    compiled = 0
    said: list[str] = []
    with subprocess.Popen(
        command, cwd=ROOT / binary.folder, env=_environ(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if not line.startswith("go: "):
                compiled += 1
                progress(min(compiled, total), total)
    if process.returncode:
        raise Refused(_failed(binary.name, "".join(said[-20:])))


def _go(folder: str, *arguments: str) -> str:
    done = subprocess.run(["go", *arguments], cwd=ROOT / folder, env=_environ(), capture_output=True, text=True)
    if done.returncode:
        raise Refused(_failed(f"go {arguments[0]} in toolchain/{folder}", done.stderr[-2000:]))
    return done.stdout


def _environ() -> dict[str, str]:
    # Nothing but the pinned sums decides what is built: a workspace or flags of the user's own would.
    return {**os.environ, "GOWORK": "off", "GOFLAGS": "-mod=readonly -buildvcs=false"}


def _check_machine() -> None:
    problems = []
    if shutil.which("go") is None:
        problems.append(_missing("there is no Go on PATH to build the Pulumi engine and plugin with"))
    free = shutil.disk_usage(cache_root()).free / 2**30
    if free < pins().disk_gib:
        problems.append(_missing(f"{cache_root()} has {free:.1f} GiB free; a cold build takes {pins().disk_gib} GiB"))
    if problems:
        raise Refused(problems, "the Pulumi toolchain is not here and can't be built")


def _missing(what: str) -> Problem:
    return Problem(what, "the kit runs on the real Pulumi engine and the real alicloud provider", three_ways())


def _failed(what: str, said: str) -> Problem:
    return Problem(f"building {what} failed:\n{said}", "published modules build with the plain go client", three_ways())


def three_ways() -> str:
    """Return the sentence that names the three ways in which the toolchain can be had."""
    return THREE_WAYS.format(go=pins().go, disk=pins().disk_gib, memory=pins().memory_gib)


@contextmanager
def _lock(piece: str) -> Iterator[None]:
    try:
        cache_root().mkdir(parents=True, exist_ok=True)
        file = (cache_root() / f".{piece}.lock").open("w")
    except OSError as error:
        fix = "set SFOA_TOOLCHAIN_CACHE to a folder that can be written"
        raise Refused(Problem(f"{cache_root()}: {error.strerror}", "the toolchain is cached", fix)) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
