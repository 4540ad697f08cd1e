"""SSL Certificates Service (CAS): certificates that were uploaded, with their keys. None is issued."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.resources import Kind

_cas = product("cas")

CERTIFICATE = Kind("certificate", "", "NotFound", regional=False)
FIRST = 12_000_000


@_cas("UploadUserCertificate")
def upload_user_certificate(call: Call) -> Answer:
    name, certificate, key = call.need("Name"), call.need("Cert"), call.need("Key")
    try:
        leaf = x509.load_pem_x509_certificates(certificate.encode())[0]
        pair = load_pem_private_key(key.encode(), None).public_key() == leaf.public_key()
    except ValueError:
        pair = False
    if not pair:
        raise ApiError("InvalidParameter", name="Cert", rule="a PEM certificate, with its own private key in Key")
    if CERTIFICATE.all(call, Name=name):
        raise ApiError("NameRepeat", name=name)
    ident = str(FIRST + call.store.next("alicloud.certificate"))
    fields = {"Name": name, "Cert": certificate, "Key": key, "Common": leaf.subject.rfc4514_string()}
    fields |= {"EndDate": leaf.not_valid_after_utc.date().isoformat(), "BuyInAliyun": "False"}
    CERTIFICATE.create(call, call.tags("Tags"), ident=ident, **fields)
    return {"CertId": int(ident)}


@_cas("GetUserCertificateDetail")
def get_user_certificate_detail(call: Call) -> Answer:
    found = CERTIFICATE.named(call, "CertId")
    fields = {name: found[name] for name in ("Name", "Cert", "Key", "Common", "EndDate")}
    tags = [{"TagKey": key, "TagValue": value} for key, value in found["tags"].items()]
    return {**fields, "Id": int(found["id"]), "ResourceGroupId": "rg-acfmemulator", "Tags": tags}


@_cas("ListUserCertificateOrder")
def list_user_certificate_order(call: Call) -> Answer:
    rows = [
        {"CertificateId": int(one["id"]), "Name": one["Name"], "EndDate": one["EndDate"]}
        for one in CERTIFICATE.all(call)
    ]
    return {"CertificateOrderList": rows, "TotalCount": len(rows), "CurrentPage": 1, "ShowSize": 50}


@_cas("DeleteUserCertificate")
def delete_user_certificate(call: Call) -> Answer:
    CERTIFICATE.delete(call, CERTIFICATE.named(call, "CertId"))
    return {}
