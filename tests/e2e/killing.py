"""Runs the engine against the emulated clouds in processes that kill themselves (SIGKILL) before the n-th thing that
they do to the world, for every n; then promotes once more and prints what came of it, a JSON line each."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from flows.bundle import Bundle, build_bundle
from flows.components import Component, ComponentKey, MdapiFile
from flows.ledger import Ledger
from flows.metadata_api import MetadataApi
from flows.objectstore import buckets_of
from flows.ossbucket import OssBucket
from flows.promote import Promotion
from flows.tokens import mint
from infra.outputs import parse_outputs
from kit.problems import Place
from orgs.federation import load_federation
from tests.landed import OUTPUTS

ORG = load_federation().org("china-uat")
META = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata">'
    b"<apiVersion>62.0</apiVersion><status>Active</status></ApexClass>"
)
EFFECTS = [(OssBucket, "put"), *((MetadataApi, name) for name in ("retrieve", "deploy", "wait", "quick_deploy"))]


def apex(name: str, text: str) -> Component:
    """Return an Apex class."""
    files = (MdapiFile(f"classes/{name}.cls", text.encode()), MdapiFile(f"classes/{name}.cls-meta.xml", META))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Component(ComponentKey("ApexClass", name), digest, "core", Place(f"{name}.cls", 1), files=files)


def release(number: int) -> Bundle:
    """Return a release that no other is like."""
    test = apex("KilledTest", "@IsTest private class KilledTest { @IsTest static void works() {} }")
    return build_bundle([apex("Killed", f"public class Killed {{ Integer n = {number}; }}"), test], "62.0")


def promotion() -> Promotion:
    """Return a run as a process of its own has it."""
    buckets = buckets_of(parse_outputs(OUTPUTS, "killing"))
    api = partial(MetadataApi, mint(ORG), "62.0", renew=partial(mint, ORG), sleep=lambda _seconds: time.sleep(0.02))
    return Promotion(ORG, api, Ledger.of(buckets), buckets.releases, buckets.backups)


def before_each(act: Callable[[str], None]) -> None:
    """Have `act` called, with its name, before each thing that a run does to the world."""

    def wrapped(name: str, original: Callable[..., Any], self: Any, *arguments: Any, **options: Any) -> Any:
        act(f"{name} {arguments[0].split('/')[0]}" if name == "put" else name)
        return original(self, *arguments, **options)

    for owner, name in EFFECTS:
        original = getattr(owner, name)

        def method(self: Any, *arguments: Any, _o: Any = original, _n: str = name, **options: Any) -> Any:
            return wrapped(_n, _o, self, *arguments, **options)

        setattr(owner, name, method)


def in_a_process(work: Callable[[], None]) -> int:
    """Run `work` in a child, and return its exit code: negative when a signal ended it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:  # a child never returns into the parent's code
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die_before(effect: str, times: int) -> None:
    """Kill this process before it does `effect` ("" for whatever it does) the n-th time."""
    left = times

    def act(name: str) -> None:
        nonlocal left
        left -= effect in {"", name}
        if left == 0:
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)

    before_each(act)


def killed(number: int, at: int) -> None:
    """Promote release `number`, and die before effect `at`, the first of which is 0."""
    die_before("", at + 1)
    promotion().promote(release(number))


def finished(number: int, step: str) -> None:
    """Promote release `number`; print how often it was deployed, what the org holds, and whether nothing is left."""
    run = promotion()
    run.promote(release(number))
    api = run.api()
    asked = api._query("SELECT Id FROM DeployRequest WHERE CheckOnly = false")
    files = api.retrieve([ComponentKey("ApexClass", "Killed")]).files
    there = f"n = {number};".encode() in files["classes/Killed.cls"]
    print(json.dumps({"step": step, "deployed": len(asked), "there": there, "empty": run.plan(release(number)).empty}))


def counted(number: int) -> None:
    """Promote release `number` and print what it did to the world."""
    names: list[str] = []
    before_each(names.append)
    promotion().promote(release(number))
    print(json.dumps(names))


def main() -> None:
    """Promote once to know the steps (two releases: a change has more to compare than a first release), then be killed
    before each of them: who finishes one release goes on to the next, and dies there."""
    read, write = os.pipe()

    def count() -> None:
        os.dup2(write, 1)
        promotion().promote(release(1))
        counted(2)

    assert in_a_process(count) == 0
    steps: list[str] = json.loads(os.read(read, 65536))

    def finish(at: int) -> None:
        finished(at + 3, steps[at])

    def die(at: int) -> None:
        if at:
            finish(at - 1)
        killed(at + 3, at)

    for at in range(len(steps)):
        assert in_a_process(partial(die, at)) == -signal.SIGKILL
    assert in_a_process(partial(finish, len(steps) - 1)) == 0
    print(json.dumps([problem.what for problem in promotion().ledger.verify()[1]]))


def cci(effect: str, times: str, *command: str) -> None:
    """Be the real `cci`, which dies before `effect`."""
    from cumulusci.cli.cci import main as real

    die_before(effect, int(times))
    sys.argv = list(command)
    real()


if __name__ == "__main__":
    cci(*sys.argv[1:]) if sys.argv[1:] else main()
