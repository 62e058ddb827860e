"""Keypairs over HTTP, against the database room."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite.conf import CONF
from tests.harness.compute_api import ComputeApi
from tests.unit.compute.test_keypair_material import ED25519, RSA


def create(api: ComputeApi, name: str = "k1", version: str = "2.10", admin: bool = False, **more: Any) -> Any:
    return api("POST", "/os-keypairs", {"keypair": {"name": name, "public_key": RSA, **more}}, version, admin=admin)


@pytest.mark.parametrize(("version", "created", "deleted"), [("2.1", 200, 202), ("2.2", 201, 204), ("2.96", 201, 204)])
def test_statuses_changed_with_2_2(api: ComputeApi, version: str, created: int, deleted: int) -> None:
    answer = create(api, version=version)
    assert answer.status == created
    assert ("type" in answer.json["keypair"]) == (version != "2.1")
    assert answer.json["keypair"]["user_id"] == "user"
    assert "private_key" not in answer.json["keypair"]
    assert api("DELETE", "/os-keypairs/k1", version=version).status == deleted
    assert api("DELETE", "/os-keypairs/k1", version=version).status == 404


def test_a_new_key_is_made_up_to_2_91(api: ComputeApi) -> None:
    answer = api("POST", "/os-keypairs", {"keypair": {"name": "made"}}, "2.91")
    assert answer.json["keypair"]["private_key"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    shown = api("GET", "/os-keypairs/made", version="2.91").json["keypair"]
    assert "private_key" not in shown
    assert (shown["deleted"], shown["deleted_at"], shown["updated_at"]) == (False, None, None)
    assert isinstance(shown["id"], int)
    refused = api("POST", "/os-keypairs", {"keypair": {"name": "made2"}}, "2.92")
    assert refused.status == 400
    assert "'public_key' is a required property" in refused.message


@pytest.mark.parametrize(
    ("name", "version", "status"),
    [
        ("plain name_1-2", "2.1", 200),
        ("a@b.c", "2.91", 400),
        ("a@b.c", "2.92", 201),
        (" a", "2.92", 400),
        ("a/b", "2.92", 400),
        ("é", "2.92", 400),
        ("a" * 256, "2.92", 400),
        ("", "2.1", 400),
    ],
)
def test_names(api: ComputeApi, name: str, version: str, status: int) -> None:
    assert create(api, name, version).status == status


@pytest.mark.parametrize(("name", "status"), [(" k ", 200), ("a/b", 400), ("  ", 400)])
def test_names_at_the_legacy_endpoint(api: ComputeApi, name: str, status: int) -> None:
    answer = api("POST", "/v2/os-keypairs", {"keypair": {"name": name, "public_key": RSA, "zzz": 1}})
    assert answer.status == status
    assert status == 400 or answer.json["keypair"]["name"] == "k"


@pytest.mark.parametrize("key", ["", "ssh-rsa", "ssh-rsa AAAA", "zzz", RSA + RSA, "ssh-dss " + RSA.split()[1]])
def test_bad_public_keys(api: ComputeApi, key: str) -> None:
    answer = create(api, public_key=key)
    assert (answer.status, answer.message) == (400, "Keypair data is invalid: failed to generate fingerprint")


def test_a_name_is_taken_once(api: ComputeApi) -> None:
    create(api)
    answer = create(api, public_key=ED25519)
    assert (answer.status, answer.message) == (409, "Key pair 'k1' already exists.")


def test_quota(api: ComputeApi) -> None:
    CONF.set_override("key_pairs", 1, "quota")
    try:
        create(api)
        answer = create(api, "k2")
        assert (answer.status, answer.message) == (403, "Quota exceeded, too many key pairs.")
    finally:
        CONF.clear_override("key_pairs", "quota")


def test_not_found_names_the_user(api: ComputeApi) -> None:
    answer = api("GET", "/os-keypairs/zzz")
    assert (answer.status, answer.message) == (404, "Keypair zzz not found for user user")


def test_pages_from_2_35(api: ComputeApi) -> None:
    for name in ("c", "a", "b"):
        create(api, name)
    assert "keypairs_links" not in api("GET", "/os-keypairs?limit=1", version="2.34").json
    page = api("GET", "/os-keypairs?limit=2", version="2.35").json
    assert [each["keypair"]["name"] for each in page["keypairs"]] == ["a", "b"]
    assert page["keypairs_links"][0]["href"] == "http://cloud:8774/v2.1/os-keypairs?limit=2&marker=b"
    rest = api("GET", "/os-keypairs?limit=2&marker=b", version="2.35").json
    assert [each["keypair"]["name"] for each in rest["keypairs"]] == ["c"]
    answer = api("GET", "/os-keypairs?marker=zzz", version="2.35")
    assert (answer.status, answer.message) == (400, "Marker zzz could not be found.")
    assert api("GET", "/os-keypairs?zzz=1", version="2.75").status == 400


def test_administrators_act_for_others_from_2_10(api: ComputeApi) -> None:
    assert create(api, user_id="other", admin=True).json["keypair"]["user_id"] == "other"
    assert create(api, user_id="other", version="2.9", admin=True).status == 400
    assert api("GET", "/os-keypairs/k1?user_id=other", version="2.10", admin=True).status == 200
    assert api("GET", "/os-keypairs/k1?user_id=other", version="2.9", admin=True).status == 404
    refused = create(api, "k2", user_id="other")
    rule = "os_compute_api:os-keypairs:create"
    assert (refused.status, refused.message) == (403, f"Policy doesn't allow {rule} to be performed.")
    for method, path in (("GET", "/os-keypairs"), ("GET", "/os-keypairs/k1"), ("DELETE", "/os-keypairs/k1")):
        assert api(method, f"{path}?user_id=other", version="2.10").status == 403
    assert api("DELETE", "/os-keypairs/k1?user_id=other", version="2.10", admin=True).status == 204
