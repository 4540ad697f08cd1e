"""The policy pack under the real engine: `pulumi preview --policy-pack`, which builds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Stage, Up, copy_project

pytestmark = pytest.mark.e2e
STACK = "local"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Emulators with nothing on them, and a copy of the project to break."""
    root = tmp_path_factory.mktemp("policy")
    (root / "home" / "user").mkdir(parents=True)
    made = Stage(copy_project(root / "project"), root / "home")
    (made.home / "pulumi-state").mkdir()
    try:
        assert made.run("sfoa", "emulators", "start", inside=False).returncode == 0
        assert made.run("pulumi", "stack", "select", "--create", STACK).returncode == 0
        yield made
    finally:
        made.run("sfoa", "emulators", "stop", inside=False)


def preview(ground: Stage) -> Up:
    # absolute: the engine looks a relative path up from the program's folder, not from where it was called
    pack = str(ground.project / "infra" / "policy" / "sfoa-policies")
    # PYTHONPATH: the copy's code, not that of the editable installation
    return ground.run(
        *("pulumi", "preview", "--non-interactive", "--stack", STACK, "--policy-pack", pack),
        PYTHONPATH=str(ground.project),
    )


def broken(file: Path, old: str, new: str) -> str:
    """Put `new` in the place of `old`, and return what the file held."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text


def test_the_shipped_stack_passes_the_pack(ground: Stage) -> None:
    done = preview(ground)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sfoa" in done.stdout
    assert "[mandatory]" not in done.stdout
    assert "[advisory]" not in done.stdout


def test_a_broken_stack_is_refused_with_each_rule_that_it_breaks(ground: Stage) -> None:
    """One rule that sees its resource alone, and one that looks around for what isn't there."""
    buckets, storage = ground.project / "infra" / "buckets.py", ground.project / "infra" / "storage.py"
    kept = {buckets: broken(buckets, 'acl="private"', 'acl="public-read"')}
    retained = '        retained = make.retain("ledger", ledger, keep.ledger_retention_days, keep.ledger_locked)\n'
    kept[storage] = broken(storage, retained, "        retained = ledger\n")
    try:
        done = preview(ground)
    finally:
        for file, text in kept.items():
            file.write_text(text, encoding="utf-8")
    assert done.returncode != 0
    assert "SFOA-ACC-001" in done.stdout
    assert "acl: public-read" in done.stdout
    assert "SFOA-KEEP-004" in done.stdout
