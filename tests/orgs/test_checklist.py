"""What people do by hand for WeChat, WeCom and sign-on: what is open, what is due again, and files that are refused."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.commands.checklist import checklist as command
from kit.problems import Refused
from orgs.checklist import Channel, Topic, items, load_checklist, standings
from orgs.federation import Part, load_federation

FEDERATION = load_federation()
TODAY = date(2026, 11, 22)
ROOT = Path(__file__).parents[2]


def written(folder: Path, text: str) -> Path:
    file = folder / "checklist.yml"
    file.write_text(f"as_of: 2026-11-22\norgs:\n{text}")
    return file


def opened(file: Path, name: str, on: date = TODAY) -> set[str]:
    """Return what is open of an org's channels: it doesn't get the landing zone's sign-on."""
    org = FEDERATION.org(name).model_copy(update={"render": (Part.NETWORK,)})
    return {one.item.id for one in standings(load_checklist(file, FEDERATION), org, on) if one.open}


def test_an_org_that_declares_no_channel_has_nothing_to_do(tmp_path: Path) -> None:
    assert opened(tmp_path / "absent.yml", "china-uat") == set()
    assert opened(written(tmp_path, "  china-uat: {channels: [wecom]}\n"), "china-east") == set()


def test_sign_on_is_asked_of_every_china_org_that_gets_the_landing_zone_s(tmp_path: Path) -> None:
    nothing = load_checklist(tmp_path / "absent.yml", FEDERATION)
    wanted = {item.id for item in items().items if item.topic is Topic.SIGN_ON}
    assert len(wanted) >= 5
    for org in FEDERATION.orgs:
        found = {one.item.id for one in standings(nothing, org, TODAY) if one.open}
        assert found == (wanted if org.name.startswith("china-") else set())


@pytest.mark.parametrize("channel", list(Channel))
def test_every_item_of_a_declared_channel_is_open_until_it_is_done(channel: Channel, tmp_path: Path) -> None:
    wanted = {item.id for item in items().items if item.topic.value == channel.value}
    assert len(wanted) >= 4
    file = written(tmp_path, f"  china-uat: {{channels: [{channel}]}}\n")
    assert opened(file, "china-uat") == wanted
    done = "".join(
        f"      - {{item: {item}, by: li.wei, day: 2026-11-20, evidence: ticket number 77}}\n" for item in wanted
    )
    file = written(tmp_path, f"  china-uat:\n    channels: [{channel}]\n    done:\n{done}")
    assert opened(file, "china-uat") == set()


def test_what_has_to_be_renewed_is_open_again_on_the_day_after_its_term(tmp_path: Path) -> None:
    deed = "{item: wechat-account, by: li.wei, day: 2026-11-20, evidence: ticket number 77}"
    file = written(tmp_path, f"  china-uat: {{channels: [wechat], done: [{deed}]}}\n")
    last = date(2026, 11, 20) + timedelta(days=365)
    assert "wechat-account" not in opened(file, "china-uat", last)
    assert "wechat-account" in opened(file, "china-uat", last + timedelta(days=1))
    assert "wechat-account" in opened(file, "china-uat", date(2026, 11, 19))  # it was not done yet


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("  global-uat: {channels: [wechat]}\n", "global-uat is no China org"),
        ("  china-uta: {channels: [wechat]}\n", "no org is called china-uta"),
        (
            "  china-uat: {done: [{item: wechat-account, by: someone, day: 2026-11-20, evidence: ticket number 7}]}\n",
            "nobody is called someone",
        ),
        (
            "  china-uat: {done: [{item: wechat-acount, by: li.wei, day: 2026-11-20, evidence: ticket number 7}]}\n",
            "no item is called wechat-acount",
        ),
    ],
)
def test_a_wrong_entry_is_refused_with_its_line(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        load_checklist(written(tmp_path, text), FEDERATION)
    assert any(says in problem.what for problem in refused.value.problems)
    assert all(problem.place and problem.place.line == 3 for problem in refused.value.problems)


def test_the_command_says_who_does_what_where_and_how_it_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    said = CliRunner().invoke(command, ["--org", "china-uat"]).output
    assert "0 of 9 are open" in said  # the sample's, so that it asks for nothing
    assert "done  wecom-app" in said
    assert "neither WeChat nor WeCom" in CliRunner().invoke(command, ["--org", "global-uat"]).output

    (tmp_path / "sfdx-project.json").write_text("{}")
    shutil.copytree(ROOT / "orgs", tmp_path / "orgs", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    written(tmp_path / "orgs", "  china-east: {channels: [wechat]}\n")
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(command, ["--org", "china-east"]).output
    assert "10 of 10 are open" in said
    assert "公众号" in said
    assert "where: Setup, Messaging Settings" in said
    result = json.loads(CliRunner().invoke(command, ["--org", "china-east", "--json"]).output)["result"]
    assert result["open"] == 10
