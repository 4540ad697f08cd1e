"""The official ways: Pulumi's installer and its plugin download; gives up in seconds where they can't be reached."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import requests

from toolchain.find import PLUGIN, plugin_folder
from toolchain.pins import official_dir, pins


def installer_script() -> str | None:
    """Return the text of Pulumi's installer, or None when it can't be had within the patience of the pins."""
    try:
        reply = requests.get(pins().installer, timeout=pins().installer_patience)
        reply.raise_for_status()
    except requests.RequestException:
        return None
    # A captive portal or a company proxy may answer 200 with a page of its own.
    return reply.text if reply.text.startswith("#!") else None


def install_engine(script: str) -> Path | None:
    """Run the installer into the cache; return the engine, or None when its download failed."""
    root = official_dir()
    with tempfile.TemporaryDirectory() as folder:
        installer = Path(folder) / "install.sh"
        installer.write_text(script)
        command = ["sh", str(installer), "--version", pins().pulumi, "--install-root", str(root), "--no-edit-path"]
        done = subprocess.run(command, capture_output=True, text=True)
    engine = root / "bin" / "pulumi"
    if done.returncode == 0 and engine.is_file():
        return engine
    shutil.rmtree(root, ignore_errors=True)
    return None


def install_plugin(engine: Path) -> Path | None:
    """Let the engine download the plugin into the cache; return it, or None when the download failed."""
    environ = {**os.environ, "PULUMI_HOME": str(official_dir()), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    command = [str(engine), "plugin", "install", "resource", "alicloud", pins().alicloud]
    done = subprocess.run(command, capture_output=True, text=True, env=environ)
    plugin = official_dir() / "plugins" / plugin_folder() / PLUGIN
    return plugin if done.returncode == 0 and plugin.is_file() else None
