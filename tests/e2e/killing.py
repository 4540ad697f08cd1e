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


def killed(number: int, at: int) -> None:
    """Promote release `number`, and die before effect `at`."""
    left = at

    def act(_name: str) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    before_each(act)
    promotion().promote(release(number))


def finished(number: int, step: str) -> None:
    """Promote release `number`; print how often it was deployed, and what is wrong with org or ledger."""
    run = promotion()
    run.promote(release(number))
    api = run.api()
    asked = api._query("SELECT Id, Status FROM DeployRequest WHERE CheckOnly = false")
    held = run.ledger.state_of(ORG.name) == {key: one.digest for key, one in release(number).components.items()}
    files = api.retrieve([ComponentKey("ApexClass", "Killed")]).files
    there = f"n = {number};".encode() in files["classes/Killed.cls"]
    problems = [problem.what for problem in run.ledger.verify()[1]]
    said = {"step": step, "deployed": len(asked), "held": held, "there": there, "problems": problems}
    print(json.dumps(said | {"empty": run.plan(release(number)).empty}))


def counted(number: int) -> None:
    """Promote release `number` and print what it did to the world."""
    names: list[str] = []
    before_each(names.append)
    promotion().promote(release(number))
    print(json.dumps(names))


def main() -> None:
    """Promote once to know the steps (two releases: a change has more to compare than a first release), then be killed
    before each of them."""
    assert in_a_process(lambda: promotion().promote(release(1)) and None) == 0
    read, write = os.pipe()

    def count() -> None:
        os.dup2(write, 1)
        counted(2)

    assert in_a_process(count) == 0
    steps = json.loads(os.read(read, 65536))
    for at, step in enumerate(steps):
        number = at + 3
        assert in_a_process(lambda number=number, at=at: killed(number, at)) == -signal.SIGKILL  # type: ignore[misc]
        assert in_a_process(lambda number=number, step=step: finished(number, step)) == 0  # type: ignore[misc]


if __name__ == "__main__":
    main()
