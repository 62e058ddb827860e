"""From a request to servers: what is filled in, and what is refused in which words."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from nova_lite.compute import create
from nova_lite.compute.create import hostname_of, parse_zone, prepare
from nova_lite.context import RequestContext
from nova_lite.network.api import Requests, Wanted
from nova_lite.objects import BlockDevice, Flavor, ImageMeta, KeyPair, NetworkRequest, ServerGroup, ServerRequest

CTXT = RequestContext(user_id="user", project_id="project", overwrite=False)


class World:
    """Lookups that know one flavor, one image, one key and one zone."""

    def __init__(self, room: int | None = None, **image: Any) -> None:
        self._room = room
        self._image = ImageMeta(id="image", name="img", **image)

    def room(self, ctxt: RequestContext, flavor: Flavor, fewest: int, most: int) -> int:
        if self._room is not None and self._room < fewest:
            raise exception.OverQuota(overs="instances", requested=most, used=0, limits=self._room)
        return most if self._room is None else min(most, self._room)

    def flavor(self, ctxt: RequestContext, flavor_ref: str) -> Flavor:
        if flavor_ref != "1":
            raise exception.FlavorNotFound(flavor_id=flavor_ref)
        return Flavor("1", "m1.tiny", 1, 512, 1)

    def image(self, ctxt: RequestContext, image_ref: str) -> ImageMeta:
        if image_ref != "image":
            raise exception.ImageNotFound(image_id=image_ref)
        return self._image

    def keypair(self, ctxt: RequestContext, name: str) -> KeyPair:
        if name != "key":
            raise exception.KeypairNotFound(name=name, user_id=ctxt.user_id)
        return KeyPair("key", "user", "fp", "ssh-rsa AAAA")

    def has_zone(self, name: str) -> bool:
        return name == "nova"

    def server_group(self, ctxt: RequestContext, uuid: str) -> ServerGroup:
        if uuid != "group":
            raise exception.ServerGroupNotFound(group_uuid=uuid)
        return ServerGroup("group", "project", "user", "web", "anti-affinity")

    def networks(self, ctxt: RequestContext, requests: Requests, groups: tuple[str, ...], count: int) -> Wanted:
        for request in requests:
            if request.network_id not in (None, "net"):
                raise exception.NetworkNotFound(network_id=request.network_id)
        return Wanted(requests, groups)


def _request(**values: Any) -> ServerRequest:
    return ServerRequest(**{"name": "web", "flavor_ref": "1", "image_ref": "image", **values})


def _prepare(world: World | None = None, **values: Any) -> list[create.Build]:
    return prepare(CTXT, _request(**values), world or World(), default_zone=None)


def test_one_server_is_filled_in() -> None:
    (build,) = _prepare(key_name="key", tags=("b", "a"), metadata={"k": "v"}, availability_zone="nova")
    server = build.instance
    assert (server.vm_state, server.task_state, server.display_name) == ("building", "scheduling", "web")
    assert (server.project_id, server.user_id) == ("project", "user")
    assert (server.key_name, server.key_data) == ("key", "ssh-rsa AAAA")
    assert (server.tags, server.metadata) == (("a", "b"), {"k": "v"})
    assert server.availability_zone == server.pinned_availability_zone == "nova"
    assert server.hostname == "web" and server.host is None and server.generation == 0


def test_of_many_as_many_are_made_as_there_is_room_for() -> None:
    assert [build.instance.display_name for build in _prepare(World(room=2), max_count=9)] == ["web-1", "web-2"]
    assert [build.instance.display_name for build in _prepare(World(room=1), max_count=9)] == ["web"]
    with pytest.raises(exception.OverQuota):
        _prepare(World(room=2), min_count=3, max_count=9)


def test_a_huge_number_is_refused_before_anything_is_made() -> None:
    with pytest.raises(exception.OverQuota):
        _prepare(World(room=10), min_count=10**30, max_count=10**30)
    with pytest.raises(exception.Invalid, match="max_count must be <= 1000"):
        _prepare(min_count=10**30, max_count=10**30)


def test_many_servers_share_a_reservation_and_differ_in_name() -> None:
    builds = _prepare(max_count=3, hostname="h")
    assert [build.instance.display_name for build in builds] == ["web-1", "web-2", "web-3"]
    assert [build.instance.hostname for build in builds] == ["h-1", "h-2", "h-3"]
    assert [build.instance.launch_index for build in builds] == [0, 1, 2]
    assert len({build.instance.reservation_id for build in builds}) == 1
    assert len({build.instance.uuid for build in builds}) == 3


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"flavor_ref": "9"}, exception.FlavorNotFound),
        ({"image_ref": "9"}, exception.ImageNotFound),
        ({"key_name": "9"}, exception.KeypairNotFound),
        ({"networks": (NetworkRequest(network_id="9"),)}, exception.NetworkNotFound),
    ],
)
def test_what_is_not_there_is_said_by_its_own_error(values: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        _prepare(**values)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"image_ref": ""}, "Invalid imageRef provided."),
        ({"availability_zone": "mars"}, "The requested availability zone is not available"),
        ({"availability_zone": "a:b:c:d"}, "Unable to parse availability_zone"),
        ({"block_devices": (BlockDevice("volume", "volume", uuid="v"),)}, "Boot sequence for the instance"),
    ],
)
def test_what_does_not_fit_is_a_400_in_the_contracts_words(values: dict[str, Any], text: str) -> None:
    with pytest.raises(exception.Invalid, match=text):
        _prepare(**values)


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ({"status": "queued"}, "is not active"),
        ({"min_ram": 513}, "memory is too small"),
        ({"min_disk": 2}, "smaller than the minimum size"),
        ({"size": create.GIB + 1}, "disk is too small"),
        ({"size": 1, "virtual_size": create.GIB + 1}, "disk is too small"),
    ],
)
def test_an_image_must_fit_the_flavor(image: dict[str, Any], text: str) -> None:
    with pytest.raises(exception.Invalid, match=text):
        _prepare(World(**image))


def test_an_image_named_by_a_block_device_is_the_image() -> None:
    (build,) = _prepare(image_ref="", block_devices=(BlockDevice("image", "local", boot_index=0, uuid="image"),))
    assert build.instance.image_ref == "image"


def test_networks_not_said_mean_one_interface_and_none_means_none() -> None:
    assert [len(build.args["networks"]) for build in _prepare()] == [1]
    assert [len(build.args["networks"]) for build in _prepare(no_network=True)] == [0]


def test_internal_scheduler_hints_of_a_client_are_dropped() -> None:
    (build,) = _prepare(scheduler_hints={"_nova_check_type": ["rebuild"], "same_host": ["x"]})
    assert build.instance.scheduler_hints == {"same_host": ["x"]}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"availability_zone": "nova:host1"}, ("nova", "host1", None)),
        ({"availability_zone": "nova:host1:node1"}, ("nova", "host1", "node1")),
        ({"availability_zone": ":host1"}, (None, "host1", None)),
        ({"host": "h", "node": "n"}, (None, "h", "n")),
        ({}, (None, None, None)),
    ],
)
def test_a_zone_may_name_a_host(values: dict[str, Any], expected: tuple[str | None, ...]) -> None:
    found = parse_zone(_request(**values))
    assert (found.zone, found.host, found.node) == expected


@pytest.mark.parametrize(
    ("name", "hostname"),
    [("Web Server_1.a", "web-server-1-a"), ("ünï", "uni"), ("日本", "fallback"), ("-x-", "x"), (80 * "a", 63 * "a")],
)
def test_a_name_becomes_a_hostname(name: str, hostname: str) -> None:
    assert hostname_of(name, "fallback") == hostname


def test_the_hint_makes_it_a_member() -> None:
    (build,) = _prepare(scheduler_hints={"group": "group"})
    assert build.instance.server_group == "group" and build.instance.scheduler_hints == {"group": "group"}
    assert _prepare()[0].instance.server_group is None
    with pytest.raises(exception.ServerGroupNotFound, match="Instance group lost could not be found."):
        _prepare(scheduler_hints={"group": "lost"})
