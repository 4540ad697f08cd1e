"""`sfoa bundle-verify`: whether a release or bundle is as it was built, and who signed it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from flows.approval import APPROVERS, known_approvers
from flows.release import Release
from flows.signing import NAMESPACE, Signed, read_signed
from kit.console import emit, guarded, json_option
from kit.problems import Place, Problem, Refused

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--signature", type=_FILE, help="The signature's file.  [default: FILE.sig, if there is one]")
@click.option("--signed", is_flag=True, help="Refuse a file that nobody signed.")
@click.option("--digest", metavar="SHA256", help="Refuse a file that has another digest.")
@json_option
@guarded
def bundle_verify(file: Path, signature: Path | None, signed: bool, digest: str | None, as_json: bool) -> None:
    """Check every byte of a release or bundle, and its signature against the approvers of the federation."""
    found = read_signed(file, signature)
    if digest and found.digest != digest.lower():
        what = f"another release: its digest is {found.digest}"
        raise Refused(Problem(what, f"the release {digest} is asked for", "see who put it there", Place(found.place)))
    signer = _signer(found)
    if signed and not signer:
        fix = f"printf %s {found.digest} | ssh-keygen -Y sign -n {NAMESPACE} -f KEY > {found.place}.sig"
        raise Refused(Problem("nobody signed it", "--signed asks for a signature", fix, Place(found.place)))
    result = {"file": str(file), "digest": found.digest, "signer": signer, **_about(found)}
    emit(result, as_json=as_json, text=_text(result))


def _signer(found: Signed) -> str:
    if not found.signature:
        return ""
    from flows.handover import read_outputs  # what nobody signed is verified without a project
    from flows.project import federation_of, project_root

    root = project_root()
    federation = federation_of(root)
    if os.environ.get(APPROVERS):
        federation = known_approvers(federation, read_outputs(project=root).environment)
    builder = found.builder(federation, datetime.now(UTC).date())
    return builder.name if builder else ""


def _about(found: Signed) -> dict[str, Any]:
    if not isinstance(found.content, Release):
        return {"orgs": {}, "provenance": None}
    orgs = {name: bundle.digest for name, bundle in found.content.bundles.items()}
    return {"orgs": orgs, "provenance": found.content.provenance.as_json()}


def _text(result: dict[str, Any]) -> str:
    lines = [f"{result['file']}: as it was built", f"sha256 {result['digest']}"]
    lines.append(f"signed by {result['signer']}" if result["signer"] else "not signed")
    if result["orgs"]:
        where = result["provenance"]
        lines.append(f"built from commit {where['commit'] or '–'}, {where['tree']}")
        lines += [f"  {name}  {digest}" for name, digest in result["orgs"].items()]
    return "\n".join(lines)
