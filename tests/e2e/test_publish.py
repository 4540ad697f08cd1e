"""One release, published with the real `cci`, serves orgs of both editions; a swapped one is refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from flows.objectstore import ObjectStore, buckets_of
from flows.planfile import read_plan
from flows.release import build_release, read_release, release_bytes
from infra.outputs import parse_outputs
from tests.e2e.released import Project
from tests.landed import OUTPUTS

pytestmark = pytest.mark.e2e
SIGNER = "anna.lindqvist"


@pytest.fixture
def releases(project: Project) -> ObjectStore:
    """The bucket of releases; the environment leads to the emulators."""
    assert os.environ["HTTPS_PROXY"]
    return buckets_of(parse_outputs(OUTPUTS, "test")).releases


def test_one_signed_release_serves_orgs_of_both_editions_and_a_swapped_one_is_refused(
    project: Project, releases: ObjectStore, tmp_path: Path
) -> None:
    file = tmp_path / "r.zip"
    key = str(project.keys / SIGNER)
    published = project.ok("cci", "task", "run", "publish", "--sign", key, "--out", str(file))
    digest = re.findall(r"^[0-9a-f]{64}$", published, re.MULTILINE)[-1]
    assert releases.list("bundles/") == [f"bundles/{digest}.zip", f"bundles/{digest}.zip.sig"]
    assert releases.get(f"bundles/{digest}.zip") == file.read_bytes()

    # What lies in the working tree since doesn't count: the release does.
    for view in (project.root / "metadata/core").rglob("*.listView-meta.xml"):
        view.unlink()
    good = read_release(file, digest)
    for org, given in (("global-uat", digest), ("china-uat", str(file))):
        plan = str(tmp_path / f"{org}.json")
        said = project.ok("cci", "task", "run", "plan", "--org", org, "--bundle", given, "--out", plan)
        assert f"signed by {SIGNER}" in said
        assert set(read_plan(Path(plan)).creates) == set(good.for_org(org).components)

    # A whole other release, good in itself, under the digest of the one that was signed.
    other = build_release({"china-uat": good.for_org("global-uat")}, good.provenance)
    releases.put(f"bundles/{digest}.zip", release_bytes(other))
    refused = project.run("cci", "task", "run", "plan", "--org", "china-uat", "--bundle", digest)
    words = " ".join((refused.stdout + refused.stderr).split())
    assert refused.returncode == 1
    assert f"bundles/{digest}.zip was altered" in words
    assert other.digest in words
    assert "Traceback" not in words


def test_a_release_is_signed_and_verified_and_one_with_a_signature_over_something_else_is_refused(
    project: Project, tmp_path: Path
) -> None:
    file = tmp_path / "r.zip"
    made = json.loads(
        project.ok("sfoa", "bundle", "--federation", "--out", str(file), "--sign", str(project.keys / SIGNER), "--json")
    )
    verified = json.loads(project.ok("sfoa", "bundle-verify", str(file), "--signed", "--json"))["result"]
    assert (verified["digest"], verified["signer"]) == (made["result"]["digest"], SIGNER)
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-n", "sfoa-bundle", "-f", str(project.keys / SIGNER)]
    other = subprocess.run(sign, input=b"0" * 64, capture_output=True, check=True).stdout
    file.with_name("r.zip.sig").write_bytes(other)
    refused = project.run("cci", "task", "run", "plan", "--org", "china-uat", "--bundle", str(file))
    assert refused.returncode == 1
    assert f"the signature of {SIGNER} is not over" in " ".join((refused.stdout + refused.stderr).split())
