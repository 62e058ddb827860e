"""Public keys: what they are, their fingerprints, and new ones. Private keys made here are kept nowhere."""

from __future__ import annotations

import base64
import datetime
import hashlib
import re

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from nova_lite import exception
from nova_lite.clock import utcnow

SSH = "ssh"
X509 = "x509"
_COMMENT = "Generated-by-Nova-lite"
_RSA_BITS = 2048
_VALID_FOR = datetime.timedelta(days=3650)
# The user's name as Windows reads it in a certificate for remote logins.
_UPN = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_ECDSA = re.compile(r"(ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9@.-]+|ssh-(rsa|dss|ed25519))")


class InvalidKey(exception.Invalid):
    sentence = "Keypair data is invalid: %(reason)s"


def fingerprint(public_key: str, kind: str) -> str:
    """MD5 of an SSH key as hex pairs, SHA-1 of a certificate likewise, as Nova shows them.

    :raises InvalidKey: it is no key of that kind.
    """
    return _x509_fingerprint(public_key) if kind == X509 else _ssh_fingerprint(public_key)


def generate(kind: str, user_id: str) -> tuple[str, str, str]:
    """A new private key, its public half and the fingerprint; RSA for SSH, a self-signed certificate for x509."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    if kind == X509:
        certificate = _certificate(key, user_id)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        return private, certificate, _x509_fingerprint(certificate)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()
    public = ssh_line(key.public_key())
    return private, public, _ssh_fingerprint(public)


def ssh_line(key: rsa.RSAPublicKey | ed25519.Ed25519PublicKey) -> str:
    """The one-line form of a public key."""
    line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    return f"{line} {_COMMENT}\n"


def _ssh_fingerprint(public_key: str) -> str:
    """
    :raises InvalidKey: not ``type base64 [comment]``, or the type inside is another
    """
    words = public_key.split()
    if "\n" in public_key.strip() or len(words) < 2 or not _ECDSA.fullmatch(words[0]):
        raise InvalidKey(reason="failed to generate fingerprint")
    try:
        blob = base64.b64decode(words[1].encode("ascii"), validate=True)
    except ValueError:
        raise InvalidKey(reason="failed to generate fingerprint") from None
    length = int.from_bytes(blob[:4], "big")
    if len(blob) < 5 + length or blob[4 : 4 + length] != words[0].encode():
        raise InvalidKey(reason="failed to generate fingerprint")
    try:
        # The types that cryptography knows are read in full; of security keys the envelope above must do.
        if not words[0].startswith("sk-"):
            serialization.load_ssh_public_key(f"{words[0]} {words[1]}".encode())
    except Exception:  # noqa: BLE001 - whatever the parser dislikes, the key is none
        raise InvalidKey(reason="failed to generate fingerprint") from None
    return _pairs(hashlib.md5(blob, usedforsecurity=False).digest())


def _x509_fingerprint(text: str) -> str:
    try:
        certificate = x509.load_pem_x509_certificate(text.encode())
    except Exception:  # noqa: BLE001 - whatever the parser dislikes, the certificate is none
        raise InvalidKey(reason="failed to generate X509 fingerprint. Error message: not a PEM certificate") from None
    # SHA-1 is a name here, not a proof; clients expect it.
    return _pairs(certificate.fingerprint(hashes.SHA1()))  # noqa: S303


def _pairs(digest: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in digest)


def _certificate(key: rsa.RSAPrivateKey, user_id: str) -> str:
    """A certificate that lets ``user_id`` log in to Windows guests."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user_id[:64])])
    upn = x509.OtherName(_UPN, _der_utf8(f"{user_id[:64]}@localhost"))
    now = utcnow()
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.SubjectAlternativeName([upn]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


def _der_utf8(text: str) -> bytes:
    """A DER UTF8String, shorter than 128 bytes."""
    data = text.encode()[:127]
    return bytes((0x0C, len(data))) + data
