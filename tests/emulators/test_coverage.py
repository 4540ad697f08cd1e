"""What is asked for and not emulated is found by its name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from emulators.cli import emulators as command
from emulators.coverage import note_action, unknown_actions
from emulators.lifecycle import start
from emulators.registry import emulated
from emulators.store import Store
from emulators.testing import Running, running

UNKNOWN = "http://nlb.cn-shanghai.aliyuncs.com/?Action=ListListeners&Version=2022-04-30"


@pytest.fixture
def emulators(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as it:
        yield it


def coverage_of(emulators: Running) -> dict[str, list[dict[str, object]]]:
    answer: dict[str, list[dict[str, object]]] = requests.get(f"http://127.0.0.1:{emulators.port}/coverage").json()
    return answer


def test_an_unknown_action_of_an_rpc_product_is_listed_with_product_and_version(emulators: Running) -> None:
    for _ in range(2):
        reply = requests.get(UNKNOWN, proxies=emulators.proxies)
        assert (reply.status_code, "action ListListeners" in reply.text) == (404, True)
    row = {"product": "nlb", "version": "2022-04-30", "action": "ListListeners", "calls": 2}
    assert coverage_of(emulators)["unknown_actions"] == [row]


def test_a_refused_host_is_counted_however_it_was_asked_for(emulators: Running) -> None:
    requests.get("http://www.example.com/", proxies=emulators.proxies)
    with pytest.raises(requests.exceptions.ProxyError):
        requests.get("https://www.example.com/", proxies=emulators.proxies)
    assert coverage_of(emulators)["refused_hosts"] == [{"host": "www.example.com", "calls": 2}]
    status = requests.get(f"http://127.0.0.1:{emulators.port}/status").json()
    assert (status["refused_hosts"], status["unknown_actions"], status["documents"]) == (1, 0, {})


def test_the_most_wanted_action_comes_first() -> None:
    store = Store(":memory:")
    for action in ("Rare", "Often", "Often"):
        note_action(store, "Vpc", "2016-04-28", action)
    assert [(row["action"], row["calls"]) for row in unknown_actions(store)] == [("Often", 2), ("Rare", 1)]


@pytest.mark.parametrize(
    "action",
    [
        ("Vpc", "2016-04-28", "CreateVpc"),
        ("Oss", "2019-05-17", "PutBucketLifecycle"),
        ("Oss", "2019-05-17", "CompleteBucketWorm"),
        ("Salesforce Metadata API", "", "deployRecentValidation"),
        ("Salesforce REST API", "", "tooling/executeAnonymous"),
    ],
)
def test_every_service_says_what_it_emulates(action: tuple[str, str, str]) -> None:
    assert action in emulated()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_a_user_reads_which_action_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFOA_HOME", str(tmp_path))
    instance, _ = start(tmp_path, 0)
    try:
        assert "sfoa emulators coverage" not in run("status").stdout
        proxies = {"http": f"http://127.0.0.1:{instance.port}"}
        for url in (
            "http://nlb.cn-shanghai.aliyuncs.com/?Action=ListListeners&Version=2022-04-30",
            "http://a.example/",
        ):
            requests.get(url, proxies=proxies)
        said = run("status").stdout
        assert "unknown actions asked for: 1, hosts refused: 1 (sfoa emulators coverage" in said
        text = run("coverage").stdout
        assert "nlb 2022-04-30 ListListeners" in text
        assert "a.example" in text
        assert "Vpc 2016-04-28\n" in text
        result = json.loads(run("coverage", "--json").stdout)["result"]
        assert {"product": "Sts", "version": "2015-04-01", "action": "AssumeRole"} in result["emulated"]
    finally:
        run("stop")
