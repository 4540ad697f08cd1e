"""The emulators' own certificate authority: one root a home, one leaf certificate a host, made on the fly."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
import tempfile
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from emulators.wholefile import write_whole

_ROOT_LIFE = dt.timedelta(days=3650)
_LEAF_LIFE = dt.timedelta(days=397)  # clients that follow the CA/Browser Forum refuse longer ones
_EARLY = dt.timedelta(days=1)  # a client whose clock is a little behind still accepts what was just made


class Authority:
    """The certificate authority that lives in `folder`; made there on first use, its key readable by its owner only.

    `file` is the root certificate (PEM): what a client must trust.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "ca.pem"
        key_file = folder / "ca.key"
        if not (self.file.exists() and key_file.exists() and _lives(self.file)):
            _make_root(self.file, key_file)
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{key_file} holds no elliptic-curve key; delete it and {self.file}")
        self._key = key
        self._root = x509.load_pem_x509_certificate(self.file.read_bytes())
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def context(self, host: str) -> ssl.SSLContext:
        """Return the TLS context of a server that proves to be `host`; HTTP/1.1 only."""
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._make_context(host)
            return self._contexts[host]

    def _make_context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        pem = self._leaf(host).public_bytes(serialization.Encoding.PEM) + _private_pem(self._leaf_key)
        # The ssl module loads keys from files only; this one is ours alone (0600) and gone at once.
        handle, name = tempfile.mkstemp(suffix=".pem")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pem)
            context.load_cert_chain(name)
        finally:
            Path(name).unlink()
        return context

    def _leaf(self, host: str) -> x509.Certificate:
        public = self._leaf_key.public_key()
        common_name = host if len(host) <= 64 else "emulated host"  # X.520: a common name has 64 characters
        return (
            _builder(public, common_name, self._root.subject, _LEAF_LIFE)
            .add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _make_root(file: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SFoA kit emulators (this machine only)")])
    root = (
        _builder(key.public_key(), "SFoA kit emulators (this machine only)", name, _ROOT_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    # The certificate last, and none while the key changes: half a pair is no pair, and is made anew.
    file.unlink(missing_ok=True)
    write_whole(key_file, _private_pem(key), 0o600)
    write_whole(file, root.public_bytes(serialization.Encoding.PEM))


def _builder(
    public: ec.EllipticCurvePublicKey, common_name: str, issuer: x509.Name, life: dt.timedelta
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _lives(file: Path) -> bool:
    """Return whether the root outlives every leaf that could be made today."""
    root = x509.load_pem_x509_certificate(file.read_bytes())
    return root.not_valid_after_utc > dt.datetime.now(dt.UTC) + _LEAF_LIFE
