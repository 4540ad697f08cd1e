"""The portals of emulated IDaaS instances: each serves the SAML metadata of its applications to anyone who asks."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from emulators.alicloud.kinds import EIAM_APPLICATION, EIAM_CERTIFICATE, EIAM_INSTANCE
from emulators.http import Request, Response
from emulators.service import World

PRODUCT, DOMAIN = "IDaaS portal", "aliyunidaas.com"
_CERTIFICATE_DAYS = 3650
_PATH = re.compile(r"/api/v2/(?P<application>app_[a-z0-9]+)/saml2/meta")

_METADATA = """<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{at}/meta">
<md:IDPSSODescriptor WantAuthnRequestsSigned="false" \
protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>\
<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{at}/slo"/>
<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified</md:NameIDFormat>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{at}/sso"/>
</md:IDPSSODescriptor></md:EntityDescriptor>
"""


class IdaasPortal:
    """The hosts under aliyunidaas.com that instances were given."""

    name = "idaas"

    def __init__(self, world: World) -> None:
        self._world = world

    def owns(self, host: str) -> bool:
        """Return whether a host is an instance's portal."""
        return host.endswith(f".{DOMAIN}")

    def handle(self, request: Request) -> Response:
        """Answer with an application's metadata; 404 for anything else."""
        store = self._world.store
        instance = next((made for _, made in store.all(EIAM_INSTANCE.place) if made["domain"] == request.host), None)
        path = _PATH.fullmatch(request.path)
        application = store.get(EIAM_APPLICATION.place, path["application"]) if path else None
        if request.method != "GET" or instance is None or application is None:
            return Response.of_json({"error": "not_found"}, 404)
        if application["InstanceId"] != instance["id"] or application["sso_status"] != "enabled":
            return Response.of_json({"error": "not_found"}, 404)
        at = f"https://{request.host}{request.path.removesuffix('/meta')}"
        return Response.of_xml(_METADATA.format(at=at, certificate=self._certificate(application["id"])))

    def _certificate(self, application: str) -> str:
        """Return an application's signing certificate (Base64 of its DER), made when it is first asked for."""
        kept = self._world.store.get(EIAM_CERTIFICATE, application)
        if kept is None:
            kept = {"der": _self_signed(application, datetime.fromtimestamp(self._world.now(), UTC))}
            self._world.store.put(EIAM_CERTIFICATE, application, kept)
        return str(kept["der"])


def _self_signed(name: str, now: datetime) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=_CERTIFICATE_DAYS))
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
