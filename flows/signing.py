"""Who built a release: a detached signature over its digest, by `printf %s DIGEST | ssh-keygen -Y sign -n sfoa-bundle`.

Builders are the approvers of `federation.yml` whose centre may promote, or approve what all orgs get.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows.bundle import Bundle, read_file
from flows.release import Release, parse_any, write_release
from flows.sshsig import sign, signature_fault, signer_of
from flows.written import write_file
from kit.problems import Place, Problem, Refused, relative
from orgs.federation import Approver, Federation, Power

NAMESPACE = "sfoa-bundle"
SUFFIX = ".sig"
_RULE = "a release is signed by an approver of federation.yml, with their key, over its digest"
_POWERS = (Power.PROMOTE, Power.APPROVE_CORE)


@dataclass(frozen=True, slots=True)
class Signed:
    """A release, or the bundle of a single org, with its signature ("" without one); `place` is where it was read."""

    content: Release | Bundle
    signature: str
    place: str

    @property
    def digest(self) -> str:
        """The digest that was signed."""
        return self.content.digest

    def bundle_for(self, org: str) -> Bundle:
        """Return the bundle for an org. Raises `Refused` when a release holds none for it."""
        return self.content.for_org(org) if isinstance(self.content, Release) else self.content

    def builder(self, federation: Federation, today: date) -> Approver | None:
        """Return who signed it, None when nobody did. Raises `Refused` when the signature isn't good."""
        if not self.signature:
            return None
        return builder_of(self.digest, self.signature, federation, today, self.place + SUFFIX)


def read_signed(path: Path, signature: Path | None = None) -> Signed:
    """Read a release or bundle, and its signature from `signature` or, if there is one, the file FILE.sig beside it.

    Raises `Refused` for what was altered, or can't be read.
    """
    name = relative(path)
    content = parse_any(read_file(path), name)
    beside = path.with_name(path.name + SUFFIX)
    if signature is None and not beside.exists():
        return Signed(content, "", name)
    return Signed(content, read_file(signature or beside).decode("utf-8", "replace"), name)


def write_signed(release: Release, signature: str, path: Path) -> str:
    """Write a release, and its signature, if there is one, to FILE.sig beside it, whose name is returned ("" without).

    Raises `Refused` when the disk doesn't take it.
    """
    write_release(release, path)
    beside = path.with_name(path.name + SUFFIX)
    if signature:
        write_file(signature.encode(), beside)
        return str(beside)
    beside.unlink(missing_ok=True)  # an older release's
    return ""


def sign_release(digest: str, key: Path, federation: Federation, today: date) -> str:
    """Return the signature over a digest. Raises `Refused` when the key is no builder's: nobody could verify it."""
    armoured = sign(digest.encode(), key, NAMESPACE)
    builder_of(digest, armoured, federation, today, relative(key))
    return armoured


def builder_of(digest: str, armoured: str, federation: Federation, today: date, name: str) -> Approver:
    """Return who signed the digest. Raises `Refused` when the signature is nobody's who may build, or over something
    else; `name` is what problems call the signature."""
    place = Place(name)
    signer = signer_of(armoured, federation.approvers, NAMESPACE)
    if signer is None:
        fix = "have an approver sign it; `sfoa federation show` lists them"
        raise Refused(Problem("the signature is nobody's whom the federation knows", _RULE, fix, place))
    fault = signature_fault(digest.encode(), armoured, signer, NAMESPACE)
    if fault:
        what = f"the signature of {signer.name} is not over {digest}: {fault}"
        raise Refused(Problem(what, _RULE, "take the release that was signed, or have this one signed", place))
    centre = federation.centre(signer.centre)
    if not any(centre.holds(power, today) for power in _POWERS):
        what = f"{signer.name} may not build: {centre.name} holds neither of {', '.join(_POWERS)} on {today}"
        raise Refused(Problem(what, _RULE, "have somebody sign whose centre holds it, or renew its term", place))
    return signer


def is_digest(text: str) -> bool:
    """Return whether a text is a digest in hex, and so no file's name."""
    return re.fullmatch(r"[0-9a-f]{64}", text) is not None
