"""From a create body to a ServerRequest."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from nova_lite.api.openstack.compute.server_request import address_of, server_request
from nova_lite.api.openstack.microversions import at
from nova_lite.objects import NetworkRequest, ServerRequest
from tests.harness.builders import uuid_of

NET, PORT, VOLUME = uuid_of("net"), uuid_of("port"), uuid_of("volume")


def translated(number: str = "2.96", hints: dict[str, Any] | None = None, **server: Any) -> ServerRequest:
    body: dict[str, Any] = {"server": {"name": "vm", "flavorRef": "1", **server}}
    if hints is not None:
        body["os:scheduler_hints"] = hints
    return server_request(body, at(number))


def test_the_least_body() -> None:
    request = translated()
    assert (request.name, request.flavor_ref, request.image_ref) == ("vm", "1", "")
    assert (request.min_count, request.max_count, request.networks, request.no_network) == (1, 1, None, False)
    assert (request.config_drive, request.auto_disk_config, request.description) == (None, None, None)


@pytest.mark.parametrize("reference", ["42", 42, "http://openstack.example.com/flavors/42", "/v2.1/flavors/42"])
def test_a_flavor_is_named_by_its_id_or_a_url_of_it(reference: Any) -> None:
    assert translated(flavorRef=reference).flavor_ref == "42"


def test_before_descriptions_the_name_is_the_description() -> None:
    assert translated("2.18").description == "vm"
    assert translated("2.19").description is None
    assert translated("2.19", description="d").description == "d"


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ({}, (1, 1)),
        ({"min_count": "2"}, (2, 2)),
        ({"max_count": 3}, (1, 3)),
        ({"min_count": 2, "max_count": "3"}, (2, 3)),
    ],
)
def test_counts(server: dict[str, Any], expected: tuple[int, int]) -> None:
    request = translated(**server)
    assert (request.min_count, request.max_count) == expected


def test_more_at_least_than_at_most() -> None:
    with pytest.raises(exception.Invalid, match="min_count must be <= max_count"):
        translated(min_count=3, max_count=2)


@pytest.mark.parametrize(
    ("wanted", "networks", "none"),
    [
        ("none", None, True),
        ("auto", (NetworkRequest(auto=True),), False),
        ([], None, False),
        ([{"uuid": NET, "fixed_ip": "10.0.0.9", "tag": "t"}], (NetworkRequest(NET, None, "10.0.0.9", "t"),), False),
        ([{"port": PORT, "uuid": "ignored"}], (NetworkRequest(None, PORT),), False),
    ],
)
def test_networks(wanted: Any, networks: Any, none: bool) -> None:
    request = translated(networks=wanted)
    assert (request.networks, request.no_network) == (networks, none)


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ([{"uuid": "x"}], r"Bad networks format: network uuid is not in proper format \(x\)"),
        ([{}], r"Bad networks format: network uuid is not in proper format \(None\)"),
        ([{"port": PORT, "fixed_ip": "10.0.0.9"}], "the two cannot be specified together"),
        ([{"port": PORT}, {"port": PORT}], "Duplicate ports"),
    ],
)
def test_networks_that_make_no_sense(wanted: Any, sentence: str) -> None:
    with pytest.raises(exception.Invalid, match=sentence):
        translated(networks=wanted)


def test_internal_hints_are_stripped() -> None:
    """OSSA-2026-022: hints that begin with an underscore are the scheduler's own words."""
    request = translated(hints={"_nova_check_type": ["rebuild"], "same_host": NET})
    assert request.scheduler_hints == {"same_host": NET}


def test_both_names_of_the_hints() -> None:
    body = {"server": {"name": "vm", "flavorRef": 1}, "OS-SCH-HNT:scheduler_hints": {"group": NET}}
    request = server_request(body, at("2.1"))
    assert request.scheduler_hints == {"group": NET}
    assert request.flavor_ref == "1"


def test_block_devices_of_both_syntaxes() -> None:
    (old,) = translated(block_device_mapping=[{"volume_id": VOLUME, "delete_on_termination": "1"}]).block_devices
    assert (old.source_type, old.destination_type, old.volume_id, old.delete_on_termination) == (
        "volume",
        "volume",
        VOLUME,
        True,
    )
    new, blank, gone = translated(
        block_device_mapping_v2=[
            {"source_type": "image", "uuid": NET, "destination_type": "volume", "boot_index": "0", "volume_size": "2"},
            {"source_type": "blank", "boot_index": -1, "volume_size": 1},
            {"source_type": "volume", "volume_id": VOLUME, "boot_index": None},
            {"source_type": "image", "no_device": True},
        ]
    ).block_devices
    assert (new.boot_index, new.volume_size, new.uuid) == (0, 2, NET)
    assert (blank.destination_type, blank.boot_index) == ("local", None)
    assert gone.volume_id == VOLUME


@pytest.mark.parametrize(
    "server",
    [
        {"block_device_mapping": [{"volume_id": VOLUME}], "block_device_mapping_v2": [{"source_type": "blank"}]},
        {"block_device_mapping": [{}]},
        {"block_device_mapping_v2": [{"source_type": "image"}]},
        {"block_device_mapping_v2": [{"source_type": "blank", "uuid": NET}]},
        {"block_device_mapping_v2": [{}]},
        {"block_device_mapping_v2": [{"source_type": "image", "uuid": NET, "boot_index": 0}] * 2},
    ],
)
def test_block_devices_that_make_no_sense(server: dict[str, Any]) -> None:
    with pytest.raises(exception.Invalid):
        translated(**server)


@pytest.mark.parametrize(
    "files",
    [
        [{"path": "/a", "contents": ""}] * 6,
        [{"path": "a" * 256, "contents": ""}],
        [{"path": "/a", "contents": "A" * 13660}],
    ],
)
def test_too_many_or_too_large_files(files: list[dict[str, str]]) -> None:
    with pytest.raises(exception.Forbidden, match="Personality file"):
        translated("2.1", personality=files)


def test_the_rest_of_the_body() -> None:
    request = translated(
        name="  vm ", accessIPv4="1.2.3.4", config_drive="yes", return_reservation_id="True",
        security_groups=[{"name": "a"}, {"name": "b"}, {"name": "a"}], tags=["x", "x", "y"],
        trusted_image_certificates=["c"], hostname="h", host="h1", hypervisor_hostname="n1", adminPass="p",
        **{"OS-DCF:diskConfig": "MANUAL"},
    )  # fmt: skip
    assert request.name == "vm"
    assert (request.access_ip_v4, request.config_drive, request.return_reservation_id) == ("1.2.3.4", True, True)
    assert (request.security_groups, request.tags, request.trusted_certs) == (("a", "b"), ("x", "y"), ("c",))
    assert (request.hostname, request.host, request.node, request.auto_disk_config) == ("h", "h1", "n1", False)


@pytest.mark.parametrize(
    ("text", "usual"),
    [
        ("0000:0000:0000:0000:0000:babe:220.12.22.2", "::babe:dc0c:1602"),
        ("80FE::", "80fe::"),
        ("1.2.3.4", "1.2.3.4"),
        ("", None),
        (None, None),
    ],
)
def test_addresses_are_kept_in_their_usual_form(text: str | None, usual: str | None) -> None:
    assert address_of(text) == usual
