"""An identity provider of the customer's under the real engine: `pulumi preview`, which builds nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Stage, copy_project
from tests.infra.test_identity import metadata

pytestmark = pytest.mark.e2e
SECTION = "  sfoa:identity: {provider: external, metadata: idp.xml, orgs: [china-uat]}\n"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Emulators with nothing on them, and a project whose stack names an identity provider."""
    root = tmp_path_factory.mktemp("identity")
    (root / "home" / "user").mkdir(parents=True)
    made = Stage(copy_project(root / "project"), root / "home")
    (made.home / "pulumi-state").mkdir()
    config = made.project / "Pulumi.local.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("  sfoa:tags:\n", f"{SECTION}  sfoa:tags:\n"), encoding="utf-8")
    try:
        assert made.run("sfoa", "emulators", "start", inside=False).returncode == 0
        assert made.run("pulumi", "stack", "select", "--create", "local").returncode == 0
        yield made
    finally:
        made.run("sfoa", "emulators", "stop", inside=False)


@pytest.mark.parametrize(("days", "passes", "said"), [(10, True, "ends on"), (-1, False, "ended on")])
def test_metadata_is_read_from_the_project_and_an_expired_certificate_stops_the_engine(
    ground: Stage, days: int, passes: bool, said: str
) -> None:
    (ground.project / "idp.xml").write_text(metadata(days), encoding="utf-8")
    done = ground.run("pulumi", "preview", "--non-interactive", PYTHONPATH=str(ground.project))
    assert (done.returncode == 0) == passes, done.stdout + done.stderr
    assert said in done.stdout + done.stderr
    assert ("https://idp.example.cn/sso" in done.stdout) == passes
