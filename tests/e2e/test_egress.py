"""What a live stack exports becomes metadata of an org, and an address that `pulumi up` takes away leaves the org by
the next promote: real engine, real provider, real `cci`, with nobody writing outputs down in between."""

from __future__ import annotations

import pytest
from lxml import etree

from emulators.testing import Running
from flows.render.network import MARK
from tests.e2e.ground import SETTINGS, Ground, write_project
from tests.e2e.released import ROOT, Project
from tests.e2e.test_render import by_hand, trusted
from tests.infra.test_identity import metadata
from toolchain.pins import cache_root

pytestmark = pytest.mark.e2e

STACK = "local"
OFFICE, HAND = "203.0.113.0", "198.51.100.7"
OWN = {
    "sfoa:environment": "local",
    "sfoa:network": {**SETTINGS["sfoa:network"], "egress_ips": 2},
    "sfoa:identity": {"provider": "external", "metadata": "idp.xml", "orgs": ["china-uat"]},
    "sfoa:integration": {"origins": ["https://portal.acme.example"], "events": {}},
}


@pytest.fixture
def ground(project: Project, empty: Running) -> Ground:
    """Return the stack's project, which stands; the commands of `project` read the stack itself from now on."""
    write_project(project.root, "egress", (ROOT / "infra" / "__main__.py").read_text(encoding="utf-8"))
    (project.root / "idp.xml").write_text(metadata(365), encoding="utf-8")
    (empty.emulators.home / "pulumi-state").mkdir(exist_ok=True)
    del project.environment["SFOA_OUTPUTS"]
    project.environment |= {"SFOA_STACK": STACK, "SFOA_TOOLCHAIN_CACHE": str(cache_root())}
    ground = Ground(project.root, empty, STACK)
    ground.configure({**SETTINGS, **OWN})
    ground.init()
    ground.up()
    return ground


def test_what_the_stack_exports_is_in_the_org_and_the_address_that_it_gives_up_alone_goes(
    project: Project, ground: Ground
) -> None:
    before = ground.outputs()
    stays, goes = before["network_egress_ips"]
    said = " ".join(project.promote().split())
    for address in (stays, goes):
        assert f"+ {address} {MARK}egress of stack {STACK}" in said
    files = project.retrieved("Settings:Security", "SamlSsoConfig", "NamedCredential")
    assert trusted(files).keys() == {stays, goes, OFFICE}
    assert b"<enableSamlLogin>true" in files["settings/Security.settings"]
    provider = before["identity_saml"]["china-uat"]
    (config,) = (etree.fromstring(data) for path, data in files.items() if path.endswith(".samlssoconfig"))
    assert config.findtext("{*}issuer") == provider["issuer"]
    assert config.findtext("{*}loginUrl") == provider["sso_url"]
    assert config.findtext("{*}validationCert") == "".join(provider["certificate"].splitlines()[1:-1])
    endpoint = before["integration_endpoints"]["events"].encode()
    assert endpoint in files["namedCredentials/Sfoa_events.namedCredential"]

    by_hand(project, HAND)
    ground.pulumi("config", "set", "--path", "sfoa:network.egress_ips", "1")
    ground.up()
    said = " ".join(project.promote().split())
    assert f"- {goes} {MARK}egress of stack {STACK}" in said
    assert f"= {HAND} by hand" in said
    assert trusted(project.retrieved("Settings:Security")).keys() == {stays, OFFICE, HAND}
