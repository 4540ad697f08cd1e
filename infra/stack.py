"""Where the program meets the Pulumi engine: its config comes in here."""

from __future__ import annotations

import os
from pathlib import Path

import pulumi
from pulumi.runtime.config import get_config_env

from infra.settings import Settings, read_settings, stack_file
from kit.problems import Refused


def stack_settings() -> Settings:
    """Return the settings of the stack that runs.

    Raises `pulumi.RunError`, which the engine shows without a traceback, with everything that is wrong.
    """
    try:
        return read_settings(get_config_env(), os.environ, stack_file(_project_root(), pulumi.get_stack()))
    except Refused as refused:
        raise pulumi.RunError(str(refused)) from None


def _project_root() -> Path:
    """Return the folder of Pulumi.yaml. Asked of the file system: an older Python host doesn't tell the program."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "Pulumi.yaml").is_file()), here)
