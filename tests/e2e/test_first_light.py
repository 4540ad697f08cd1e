"""The whole chain on one stage, in this order: up, up again, look, doctor, refresh, repair, destroy."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.outputs import parse_outputs
from infra.topology.scene import WIDTH
from tests.browser import seen
from tests.e2e.chain import landing_of
from tests.e2e.conftest import Stage, Up

pytestmark = pytest.mark.e2e

PULUMI = ("--stack", "local", "--non-interactive")
MEDDLED = (
    "alicloud:ecs:SecurityGroupRule network-app-https created",
    "alicloud:oss:BucketPublicAccessBlock storage-ledger updated",
    "alicloud:actiontrail:Trail audit-trail updated",
    "eiam:MfaPolicy identity-mfa updated",
)


def test_make_up_ends_with_what_stands_which_org_got_what_and_where_the_ledger_is(up: Up) -> None:
    assert "Storage" in up.stdout
    assert "Network" in up.stdout
    for org in ("global-uat", "china-uat", "china-preview", "global-production", "china-production"):
        assert org in up.stdout
    assert "none yet" not in up.stdout
    assert "oss://" in up.stdout
    assert "Next" in up.stdout


def test_every_org_holds_the_release_and_its_tests_ran(stage: Stage, up: Up) -> None:
    rings = stage.result("federation", "show")["rings"]
    orgs = [org["name"] for ring in rings for org in ring]
    assert len(orgs) == 7
    for org in orgs:
        record = stage.result("ledger", "show", "--org", org)[-1]["record"]
        assert record["event"] == "succeeded", org
        assert record["counts"]["created"] > 150
        assert record["tests"]["run"] > 0
        assert record["tests"]["failed"] == 0


def test_the_ledger_is_whole(stage: Stage, up: Up) -> None:
    done = stage.run("sfoa", "ledger", "verify")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_doctor_is_green_after_up(stage: Stage, up: Up) -> None:
    done = stage.run("sfoa", "doctor", "--orgs")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_outputs_keep_their_contract(stage: Stage, up: Up) -> None:
    done = stage.run("pulumi", "stack", "output", "--json", "--stack", "local")
    outputs = parse_outputs(json.loads(done.stdout), "the stack")
    assert outputs.region == "cn-shanghai"
    assert len(outputs.network_egress_ips) == 2


def test_the_picture_of_the_stack_that_stands_shows_what_its_outputs_name(stage: Stage, up: Up, tmp_path: Path) -> None:
    out = tmp_path / "topology.svg"
    result = stage.result("topology", "--stack", "local", "--out", str(out))
    assert result["not_drawn"] == []
    assert result["flows"] == 6
    outputs = json.loads(stage.run("pulumi", "stack", "output", "--json", "--stack", "local").stdout)
    drawn = out.read_text(encoding="utf-8")
    named = [*outputs["network_egress_ips"], outputs["network_private_zone"], outputs["region"], outputs["account_id"]]
    assert [each for each in named if each not in drawn] == []
    assert seen(out, tmp_path, WIDTH, 1000).values > 100


def test_building_takes_as_long_as_the_longest_chain_of_the_provider_s_own_waits_and_says_how_much_longer(
    stage: Stage, up: Up, capsys: pytest.CaptureFixture[str]
) -> None:
    """The chain: creations that wait for one another, each with the time that the provider itself took for it."""
    exported = json.loads(stage.run("pulumi", "stack", "export", "--stack", "local").stdout)
    resources = exported["deployment"]["resources"]
    assert set(stage.landing.spans()) <= {row["urn"] for row in resources}
    landing = landing_of(stage.landing, resources)
    with capsys.disabled():
        print(
            f"\n{landing.resources} resources built in {landing.building:.1f} s, {landing.start:.1f} s after the engine"
            f" began; longest chain {landing.chain:.1f} s ({', '.join(link.name for link in landing.links)}):"
            f" {landing.ratio:.2f}"
        )
    # How close the two are depends on what else the machine does: the figure is read, and judged by
    # `python -m benchmarks.landing_zone`.
    assert landing.resources > 100
    assert landing.chain > 0
    assert len(landing.links) > 1


def test_what_is_changed_behind_pulumi_s_back_is_found_by_refresh_and_put_right_by_up(stage: Stage, up: Up) -> None:
    """A rule of a security group, a bucket's public access, the trail, the second factor. That all is right again is
    what the next two tests look at."""
    outputs = stage.home / "outputs.json"
    outputs.write_text(stage.run("pulumi", "stack", "output", "--json", "--stack", "local").stdout)
    meddled = stage.run(sys.executable, "-m", "tests.e2e.meddling", str(outputs))
    assert meddled.returncode == 0, meddled.stderr
    found = stage.run("pulumi", "refresh", "--yes", "--skip-preview", *PULUMI)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "~ 3 updated" in found.stdout
    assert "- 1 deleted" in found.stdout
    righted = stage.run("pulumi", "up", "--yes", "--skip-preview", *PULUMI)
    assert righted.returncode == 0, righted.stdout + righted.stderr
    assert [change for change in MEDDLED if change not in righted.stdout] == []
    assert "4 changes." in righted.stdout


def test_a_refresh_finds_no_drift(stage: Stage, up: Up) -> None:
    done = stage.run("pulumi", "refresh", "--yes", "--expect-no-changes", *PULUMI)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_second_make_up_changes_no_resource_and_goes_on_where_the_first_ended(stage: Stage, up: Up) -> None:
    done = stage.run(sys.executable, "-m", "pipelines.local", inside=False)
    assert done.returncode == 0, done.stdout + done.stderr
    log = (stage.home / "up.log").read_text()
    (counts,) = re.findall(r"^Resources:\n((?: +.+\n)+)", log, re.MULTILINE)
    assert re.fullmatch(r" +\d{3} unchanged\n", counts), counts
    assert log.count("nothing to do") == 7


def test_a_stack_with_wrong_settings_is_refused_with_all_errors_and_creates_nothing(stage: Stage, up: Up) -> None:
    wrong = stage.project / "Pulumi.wrong.yaml"
    text = (stage.project / "Pulumi.local.yaml").read_text()
    text = text.replace("10.20.0.0/16", "8.8.8.0/28").replace("cn-shanghai-g", "cn-beijing-a")
    wrong.write_text(text)
    stage.run("pulumi", "stack", "init", "wrong")
    try:
        done = stage.run("pulumi", "up", "--yes", "--skip-preview", "--stack", "wrong", "--non-interactive")
        assert done.returncode != 0
        said = done.stdout + done.stderr
        assert "Pulumi.wrong.yaml:" in said
        assert "8.8.8.0/28" in said
        assert "cn-beijing-a" in said
        assert "Traceback" not in said
        exported = json.loads(stage.run("pulumi", "stack", "export", "--stack", "wrong").stdout)
        assert [r for r in exported["deployment"].get("resources", []) if r["type"].startswith("alicloud:")] == []
    finally:
        stage.run("pulumi", "stack", "rm", "--yes", "--force", "wrong")
        wrong.unlink(missing_ok=True)


def test_a_wrong_federation_is_refused_with_all_errors_and_no_org_is_touched(stage: Stage, up: Up) -> None:
    file = stage.project / "orgs" / "federation.yml"
    right = file.read_text()
    before = stage.run("sfoa", "emulators", "requests", "--limit", "10000", "--json", inside=False).stdout
    try:
        file.write_text(right.replace("instance: CHN1", "instance: NA1").replace("instance: NA224", "instance: CHN9"))
        done = stage.run("sfoa", "federation", "check", str(file))
        assert done.returncode == 1
        assert done.stderr.count("federation.yml:") >= 2
        assert "fix:" in done.stderr
    finally:
        file.write_text(right)
    after = stage.run("sfoa", "emulators", "requests", "--limit", "10000", "--json", inside=False).stdout
    assert json.loads(after)["result"]["requests"] == json.loads(before)["result"]["requests"]


def test_without_emulators_the_doctor_says_what_is_missing_and_how_to_get_it(tmp_path: Path, stage: Stage) -> None:
    environ = {
        **stage.environ,
        "SFOA_HOME": str(tmp_path),
        "SFOA_TOOLCHAIN_CACHE": str(tmp_path),
        "HOME": str(tmp_path),
    }
    done = subprocess.run(["sfoa", "doctor"], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "fix" in said
    assert "emulators" in said
    assert "Pulumi engine" in said


def test_destroy_leaves_the_cloud_empty(stage: Stage, up: Up) -> None:
    done = stage.run("pulumi", "destroy", "--yes", "--skip-preview", *PULUMI)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    left = stage.result("emulators", "status")["documents"]
    # A KMS key is never deleted at once: it waits out its days, as in the real service. Cloud Config's recorder has no
    # end either. Client tokens are what makes a repeated request the same request.
    kept = {"alicloud.kms_key", "alicloud.client_token", "alicloud.config_recorder"}
    assert {kind for kind in left if kind.startswith(("alicloud.", "oss.", "fc.", "idaas."))} <= kept


def test_down_leaves_no_process(stage: Stage, up: Up) -> None:
    state = stage.result("emulators", "status")
    binaries = f"BIN={Path(sys.executable).parent}"  # the stage has no environment of its own
    assert stage.run("make", "down", binaries, inside=False).returncode == 0
    assert not Path(f"/proc/{state['pid']}").exists()
