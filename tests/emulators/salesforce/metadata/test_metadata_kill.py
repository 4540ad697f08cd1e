"""An emulator that is killed in the middle of a deploy: the org stays as it was, and the deploy goes on."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from tests.emulators.salesforce.metadata.metadata_support import Clock, EmulatedOrg, manifest, xml, zipped

from emulators.cli import emulators
from emulators.lifecycle import Instance, start
from emulators.salesforce.metadata.components import OrgComponents
from emulators.salesforce.sessions import Sessions
from emulators.service import World
from emulators.store import Store

MANY = 6_000


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SFOA_HOME", str(tmp_path))
    yield tmp_path
    CliRunner().invoke(emulators, ["stop"])


def permissions(count: int) -> dict[str, str]:
    names = [f"Permission{number}" for number in range(count)]
    files = {f"customPermissions/{n}.customPermission": xml("CustomPermission", f"<label>{n}</label>") for n in names}
    return {"package.xml": manifest({"CustomPermission": names}), **files}


def killed_while_asked(running: Instance, url: str, token: str, wal: Path) -> None:
    """Ask for a deploy's status, and kill the emulators when they have begun to write what it changes."""
    answers: list[requests.Response] = []

    def ask() -> None:
        try:
            answers.append(asked(running, url, token))
        except requests.ConnectionError:
            pass  # killed

    client = threading.Thread(target=ask)
    size = wal.stat().st_size
    client.start()
    while wal.stat().st_size <= size and client.is_alive():
        time.sleep(0.001)
    os.kill(running.pid, signal.SIGKILL)
    os.waitpid(running.pid, 0)
    client.join()
    assert not answers, "the deploy was over before the kill"


def asked(running: Instance, url: str, token: str) -> requests.Response:
    proxies = {"http": f"http://127.0.0.1:{running.port}"}
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, proxies=proxies)


def test_a_kill_in_the_middle_of_a_deploy_changes_nothing_and_the_deploy_goes_on(home: Path) -> None:
    file = home / "emulators" / "world.db"
    file.parent.mkdir()
    # Submitted ten minutes ago, so that the first call from now on carries it out.
    org = EmulatedOrg(store=Store(file), clock=Clock(time.time() - 600))
    token = Sessions(World(org.store)).open(org.record, org.record.users[0], "test")
    ident = org.submit(permissions(MANY))
    before = org.snapshot()
    org.store.close()
    url = f"http://{org.record.my_domain_host}/services/data/v64.0/metadata/deployRequest/{ident}"

    killed_while_asked(start(home, 0)[0], url, token, file.with_name("world.db-wal"))

    left = Store(file)
    assert {tuple(each.key): dict(each.files) for each in OrgComponents(left, org.record.id)} == before
    left.close()
    answer = asked(start(home, 0)[0], url, token).json()["deployResult"]
    assert (answer["status"], answer["numberComponentsDeployed"]) == ("Succeeded", MANY)
