"""Public keys, fingerprints, new keys."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from nova_lite.compute import keypair_material
from nova_lite.compute.keypair_material import SSH, X509, InvalidKey

RSA = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCkF3MX59OrlBs3dH5CU7lNmvpbrgZxSpyGjlnE8Flkirnc/Up22lpjznoxqeoT"
    "AwTW034k7Dz6aYIrZGmQwe2TkE084yqvlj45Dkyoj95fW/sZacm0cZNuL69EObEGHdprfGJQajrpz22NQoCD8TFB8Wv+8om9NH9L"
    "e6s+WPe98WC77KLw8qgfQsbIey+JawPWl4O67ZdL5xrypuRjfIPWjgy/VH85IXg/Z/GONZ2nxHgSShMkwqSFECAC5L3PHB+0+/12"
    "M/iikdatFSVGjpuHvkLOs3oe7m6HlOfluSJ85BzLWBbvva93qkGmLg4ZAc8rPh2O+YIsBUHNLLMM/oQp comment\n"
)
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4 me@home"


def test_the_fingerprint_is_md5_in_pairs() -> None:
    # The pair of key and fingerprint of the contract's sample os-keypairs/keypairs-post-resp.json.
    assert keypair_material.fingerprint(RSA, SSH) == "7e:eb:ab:24:ba:d1:e1:88:ae:9a:fb:66:53:df:d3:bd"


def test_a_new_ssh_key_fits_its_public_half() -> None:
    private, public, fingerprint = keypair_material.generate(SSH, "user")
    key = serialization.load_pem_private_key(private.encode(), None)
    mine = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    assert public.startswith(mine.decode())
    assert keypair_material.fingerprint(public, SSH) == fingerprint


def test_a_new_certificate_names_its_user_and_fits_its_key() -> None:
    private, public, fingerprint = keypair_material.generate(X509, "user")
    certificate = x509.load_pem_x509_certificate(public.encode())
    key = serialization.load_pem_private_key(private.encode(), None)
    assert certificate.public_key() == key.public_key()
    assert "user" in certificate.subject.rfc4514_string()
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == datetime.timedelta(days=3650)
    assert fingerprint.count(":") == 19
    assert keypair_material.fingerprint(public, X509) == fingerprint


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("", SSH),
        ("ssh-rsa", SSH),
        ("ssh-rsa !!!!", SSH),
        ("ssh-rsa é", SSH),
        ("ssh-ed25519 " + RSA.split()[1], SSH),
        ("ssh-rsa " + RSA.split()[1][:100], SSH),
        (RSA + "\n" + ED25519, SSH),
        ('command="x" ' + RSA, SSH),
        (RSA, X509),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", X509),
    ],
)
def test_what_is_no_key(key: str, kind: str) -> None:
    with pytest.raises(InvalidKey):
        keypair_material.fingerprint(key, kind)
