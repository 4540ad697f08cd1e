"""Where the program meets the Pulumi engine: its config comes in here."""

from __future__ import annotations

import os
from pathlib import Path

import pulumi
from pulumi.runtime.config import get_config_env

from infra.settings import Settings, read_settings, stack_file
from kit.problems import Refused

ROOT = Path(__file__).resolve().parent.parent


def stack_settings() -> Settings:
    """Return the settings of the stack that runs.

    Raises `pulumi.RunError`, which the engine shows without a traceback, with everything that is wrong.
    """
    try:
        return read_settings(get_config_env(), os.environ, stack_file(ROOT, pulumi.get_stack()))
    except Refused as refused:
        raise pulumi.RunError(str(refused)) from None
