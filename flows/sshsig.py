"""Signatures with SSH keys, by `ssh-keygen -Y` (OpenSSH 8.2 or later): made, looked up and verified.

A signature says who signed a message for which use (its namespace). Who may sign stands in `federation.yml`.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kit.problems import Place, Problem, Refused, relative
from orgs.federation import Approver

_SECONDS = 20


def sign(message: bytes, key: Path, namespace: str) -> str:
    """Return the armoured signature of `message`. `key` is a private key's file, or the public one of a key in an
    agent. Raises `Refused` with ssh-keygen's words."""
    done = _keygen("sign", "-n", namespace, "-f", str(key), message=message, seconds=None)
    if done.returncode:
        rule = "a release is signed with an SSH key"
        raise Refused(Problem(f"cannot sign: {_words(done)}", rule, "name another key", Place(relative(key))))
    return done.stdout.decode()


def signer_of(armoured: str, known: Iterable[Approver], namespace: str) -> Approver | None:
    """Return whose key made the signature, None when it is nobody's of `known`. Says nothing of what was signed."""
    by_name = {one.name: one for one in known}
    with _files(armoured, by_name.values(), namespace) as (allowed, signed):
        done = _keygen("find-principals", "-n", namespace, "-f", str(allowed), "-s", str(signed))
    lines = done.stdout.decode("utf-8", "replace").split()
    return by_name.get(lines[0]) if done.returncode == 0 and lines else None


def signature_fault(message: bytes, armoured: str, signer: Approver, namespace: str) -> str:
    """Return why the signature is not the signer's over this message, in ssh-keygen's words; "" when it is."""
    with _files(armoured, [signer], namespace) as (allowed, signed):
        options = ("-f", str(allowed), "-I", signer.name, "-n", namespace, "-s", str(signed))
        done = _keygen("verify", *options, message=message)
    return _words(done).replace(str(allowed.parent), "") if done.returncode else ""


@contextmanager
def _files(armoured: str, signers: Iterable[Approver], namespace: str) -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        allowed, signed = Path(folder, "allowed_signers"), Path(folder, "signature")
        # Type and base64 alone: a comment may hold anything.
        lines = (f'{one.name} namespaces="{namespace}" {" ".join(one.public_key.split()[:2])}\n' for one in signers)
        allowed.write_text("".join(lines), encoding="utf-8")
        signed.write_text(armoured, encoding="utf-8")
        yield allowed, signed


def _keygen(
    verb: str, *options: str, message: bytes = b"", seconds: int | None = _SECONDS
) -> subprocess.CompletedProcess[bytes]:
    # A passphrase is asked for on the terminal, not on stdin, and people take their time.
    try:
        command = ["ssh-keygen", "-Y", verb, *options]
        return subprocess.run(command, input=message, capture_output=True, timeout=seconds)
    except FileNotFoundError as error:
        rule = "signatures are made and verified by ssh-keygen -Y"
        raise Refused(Problem("there is no ssh-keygen", rule, "install OpenSSH 8.2 or later")) from error


def _words(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
    return lines[0] if lines else f"ssh-keygen ended with {done.returncode}"
