"""Who built a release, with throw-away keys and the real ssh-keygen; and what the bucket of releases gives back."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import pytest

from flows.bundle import Bundle, bundle_bytes, write_bundle
from flows.objectstore import MemoryStore
from flows.provenance import Provenance
from flows.release import Release, build_release, release_bytes
from flows.shelf import Shelf
from flows.signing import NAMESPACE, Signed, builder_of, is_digest, read_signed, sign_release, write_signed
from flows.sshsig import sign
from kit.problems import Refused
from orgs.federation import Federation, load_federation
from pipelines.approvers import make_keys
from tests.flows.release_support import apex, bundle_of

TODAY = date(2026, 11, 22)
DIGEST = "ab" * 32


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys") / "all"
    make_keys(folder, ("anna.lindqvist", "li.wei", "stranger"))
    return folder


@pytest.fixture(scope="module")
def federation(keys: Path) -> Federation:
    shipped = load_federation()
    approvers = tuple(
        one.model_copy(update={"public_key": (keys / f"{one.name}.pub").read_text().strip()})
        if (keys / f"{one.name}.pub").exists()
        else one
        for one in shipped.approvers
    )
    return shipped.model_copy(update={"approvers": approvers})


@pytest.fixture(scope="module")
def release() -> Release:
    bundles = {"china-uat": bundle_of(apex("A"), apex("B")), "global-uat": bundle_of(apex("A"))}
    return build_release(bundles, Provenance("acme"))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(MemoryStore("releases"), MemoryStore("backups"))


def refusal(federation: Federation, armoured: str, digest: str = DIGEST, today: date = TODAY) -> str:
    with pytest.raises(Refused) as refused:
        builder_of(digest, armoured, federation, today, "r.zip.sig")
    (problem,) = refused.value.problems
    assert str(problem.place) == "r.zip.sig"
    return problem.what


@pytest.mark.parametrize("name", ["anna.lindqvist", "li.wei"])
def test_an_approver_s_signature_says_who_built_it(federation: Federation, keys: Path, name: str) -> None:
    armoured = sign_release(DIGEST, keys / name, federation, TODAY)
    assert builder_of(DIGEST, armoured, federation, TODAY, "").name == name


def test_a_key_that_nobody_could_verify_signs_nothing(federation: Federation, keys: Path) -> None:
    with pytest.raises(Refused, match="nobody's whom the federation knows"):
        sign_release(DIGEST, keys / "stranger", federation, TODAY)


def test_a_key_that_is_not_there_is_refused_with_ssh_keygen_s_words(federation: Federation, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot sign: Couldn't load public key"):
        sign_release(DIGEST, tmp_path / "absent", federation, TODAY)


def test_a_signature_over_another_release_is_refused(federation: Federation, keys: Path) -> None:
    armoured = sign_release("cd" * 32, keys / "li.wei", federation, TODAY)
    assert "the signature of li.wei is not over abab" in refusal(federation, armoured)


def test_an_approval_of_a_plan_is_no_signature_of_a_release(federation: Federation, keys: Path) -> None:
    assert "namespace does not match" in refusal(federation, sign(DIGEST.encode(), keys / "li.wei", "sfoa-approval"))


@pytest.mark.parametrize(
    "text", ["", "signed: me", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"]
)
def test_what_is_no_signature_is_refused(federation: Federation, text: str) -> None:
    assert "nobody's" in refusal(federation, text)


def test_a_delegation_that_is_over_builds_nothing(federation: Federation, keys: Path) -> None:
    armoured = sign_release(DIGEST, keys / "li.wei", federation, TODAY)
    assert "may not build" in refusal(federation, armoured, today=date(2028, 1, 1))


def test_a_file_is_read_with_the_signature_beside_it_and_a_new_file_drops_the_old_one(
    release: Release, federation: Federation, keys: Path, tmp_path: Path
) -> None:
    file = tmp_path / "r.zip"
    armoured = sign_release(release.digest, keys / "li.wei", federation, TODAY)
    assert write_signed(release, armoured, file) == f"{file}.sig"
    found = read_signed(file)
    assert (found.content, found.signature) == (release, armoured)
    builder = found.builder(federation, TODAY)
    assert builder is not None
    assert builder.name == "li.wei"
    assert write_signed(release, "", file) == ""
    assert read_signed(file).builder(federation, TODAY) is None
    with pytest.raises(Refused, match="cannot read"):
        read_signed(file, tmp_path / "absent.sig")


def test_the_bundle_of_a_single_org_serves_whom_it_is_given_to(tmp_path: Path) -> None:
    bundle = bundle_of(apex("A"))
    write_bundle(bundle, tmp_path / "b.zip")
    assert read_signed(tmp_path / "b.zip").bundle_for("china-uat") == bundle


def test_what_is_published_is_fetched_by_its_digest_for_each_org(shelf: Shelf, release: Release) -> None:
    shelf.keep_release(release, "signature")
    found = shelf.signed(release.digest)
    assert found == Signed(release, "signature", f"bundles/{release.digest}.zip")
    assert found.bundle_for("global-uat") == release.bundles["global-uat"]


def test_publishing_again_changes_nothing_that_is_there(shelf: Shelf, release: Release) -> None:
    shelf.keep_release(release, "first")
    shelf.keep_release(release, "second")
    assert shelf.signed(release.digest).signature == "first"


def test_a_release_may_be_signed_after_it_was_published(shelf: Shelf, release: Release) -> None:
    shelf.keep_release(release)
    assert shelf.signed(release.digest).signature == ""
    shelf.keep_release(release, "late")
    assert shelf.signed(release.digest).signature == "late"


def test_the_bundle_that_a_run_kept_is_fetched_by_its_digest_too(shelf: Shelf) -> None:
    bundle: Bundle = bundle_of(apex("A"))
    shelf.releases.put(f"bundles/{bundle.digest}.zip", bundle_bytes(bundle))
    assert shelf.signed(bundle.digest).bundle_for("anyone") == bundle


@pytest.mark.parametrize("kind", ["release", "bundle"])
def test_what_was_swapped_in_the_bucket_is_refused_and_says_what_lies_there(
    shelf: Shelf, release: Release, kind: str
) -> None:
    shelf.keep_release(release)
    key = f"bundles/{release.digest}.zip"
    other = build_release({"china-uat": bundle_of(apex("Evil"))}, Provenance("acme"))
    data = release_bytes(other) if kind == "release" else bundle_bytes(other.bundles["china-uat"])
    digest = other.digest if kind == "release" else other.bundles["china-uat"].digest
    shelf.releases.put(key, data)
    with pytest.raises(Refused, match=f"{key} was altered: it has the digest {digest}"):
        shelf.signed(release.digest)


def test_a_digest_that_nobody_published_is_refused_with_what_to_do(shelf: Shelf) -> None:
    with pytest.raises(Refused, match="is missing") as refused:
        shelf.signed(DIGEST)
    (problem,) = refused.value.problems
    assert "publish" in problem.fix
    assert str(problem.place) == f"releases/bundles/{DIGEST}.zip"


def test_without_ssh_keygen_nothing_is_taken_for_verified(
    federation: Federation, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    armoured = sign_release(DIGEST, keys / "li.wei", federation, TODAY)
    monkeypatch.setenv("PATH", "")
    assert refusal_words(federation, armoured) == "there is no ssh-keygen"


def refusal_words(federation: Federation, armoured: str) -> str:
    with pytest.raises(Refused) as refused:
        builder_of(DIGEST, armoured, federation, TODAY, "r.zip.sig")
    return refused.value.problems[0].what


def test_the_command_that_people_are_told_to_sign_with_makes_a_signature_that_counts(
    federation: Federation, keys: Path
) -> None:
    line = f'printf %s {DIGEST} | ssh-keygen -Y sign -n {NAMESPACE} -f "{keys / "li.wei"}"'
    armoured = subprocess.run(["sh", "-c", line], check=True, capture_output=True, text=True).stdout
    assert builder_of(DIGEST, armoured, federation, TODAY, "").name == "li.wei"


@pytest.mark.parametrize(
    ("text", "is_one"), [(DIGEST, True), ("r.zip", False), (DIGEST[1:], False), ("AB" * 32, False)]
)
def test_a_digest_is_told_from_a_file(text: str, is_one: bool) -> None:
    assert is_digest(text) is is_one
