"""A stack's config as its file holds it, for those who look at it without the engine."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.settings import stack_file
from kit.problems import Problem, Refused

TAG = 16
"""Bytes of the tag that ends what AES-GCM encrypts (NIST SP 800-38D)."""


def project_folder(start: Path) -> Path:
    """Return the folder of Pulumi.yaml at or above `start`. Raises `Refused` when there is none."""
    for folder in (start, *start.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise Refused(
        Problem("no Pulumi.yaml here or above", "a stack belongs to a Pulumi project", "run this in the project")
    )


def config_values(root: Path, stack: str) -> dict[str, str]:
    """Return the config of a stack as the engine hands it over: structures as JSON text.

    Raises `Refused` when the stack has no file in `root`.
    """
    file = stack_file(root, stack)
    if file is not None and not (isinstance(file.data, dict) and isinstance(file.data.get("config"), dict)):
        raise Refused(
            Problem(
                f"{file.name} holds no config",
                "a stack's file has a mapping `config`, and in it the settings",
                "copy it from Pulumi.example-production.yaml",
                file.place(()),
            )
        )
    if file is None:
        names = sorted(path.name.split(".")[1] for path in root.glob("Pulumi.*.yaml"))
        raise Refused(
            Problem(
                f"there is no Pulumi.{stack}.yaml",
                "a stack's config is its file beside Pulumi.yaml",
                f"use one of {', '.join(names) or 'none yet'}, or copy Pulumi.example-production.yaml",
            )
        )
    values = file.data["config"]
    return {key: value if isinstance(value, str) else json.dumps(value, default=str) for key, value in values.items()}


def unsealed(root: Path, stack: str) -> Iterator[Problem]:
    """Yield each `secure:` value of a stack's file that no passphrase opens: the example's placeholders, or a cut one.

    The engine itself says "cipher: message authentication failed" of them, and not where.
    """
    file = stack_file(root, stack)
    config = file.data["config"] if file else {}
    for key, sealed in _sealed(config):
        if file and _too_short(sealed):
            setting = ".".join(map(str, key))
            yield Problem(
                f"{setting}: no ciphertext: the example's placeholder, or cut off",
                "what is secret stands in the file as the engine encrypted it, by this stack's own passphrase or key",
                f"set your own: pulumi config set --stack {stack} --secret --path '{setting}' < FILE",
                file.place(("config", *key)),
            )


def _sealed(value: Any, key: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, dict):
        if value.keys() == {"secure"}:
            yield key, str(value["secure"])
            return
        for name, inside in value.items():
            yield from _sealed(inside, (*key, str(name)))
    elif isinstance(value, list):
        for at, inside in enumerate(value):
            yield from _sealed(inside, (*key, at))


def _too_short(sealed: str) -> bool:
    """Return whether a value "v1:NONCE:CIPHERTEXT" is shorter than AES-GCM's tag alone; other forms are not judged."""
    version, _, rest = sealed.partition(":")
    try:
        return version == "v1" and len(base64.b64decode(rest.rpartition(":")[2])) < TAG
    except binascii.Error:
        return True
