"""Where the API looks up what a creation names."""

from __future__ import annotations

from oslo_config import cfg

from nova_lite import exception, quota
from nova_lite.clock import monotonic
from nova_lite.context import RequestContext
from nova_lite.db.api import aggregates, flavors, keypairs, server_groups, services
from nova_lite.image.api import API as ImageAPI
from nova_lite.liveness import COMPUTE
from nova_lite.network.api import API as NetworkAPI
from nova_lite.network.api import Requests, Wanted
from nova_lite.objects import Flavor, ImageMeta, KeyPair, ServerGroup
from nova_lite.objects.flavor import quota_counts
from nova_lite.volume.api import API as VolumeAPI
from nova_lite.volume.meta import Snapshot, Volume

_ZONES_FRESH_S = 5.0


class Lookups:
    """What :class:`nova_lite.compute.create.Lookups` asks for, from the database and the other services."""

    def __init__(self, conf: cfg.ConfigOpts, image: ImageAPI, network: NetworkAPI, volume: VolumeAPI) -> None:
        self._conf = conf
        self._image = image
        self._network = network
        self._volume = volume
        self._zones: tuple[float, frozenset[str]] = (0.0, frozenset())

    def flavor(self, ctxt: RequestContext, flavor_ref: str) -> Flavor:
        found = flavors.get_by_flavorid(flavor_ref, project_id=ctxt.project_id, is_admin=bool(ctxt.is_admin))
        if found.disabled:
            raise exception.FlavorNotFound(flavor_id=flavor_ref)
        return found

    def image(self, ctxt: RequestContext, image_ref: str) -> ImageMeta:
        return self._image.get(ctxt, image_ref)

    def keypair(self, ctxt: RequestContext, name: str) -> KeyPair:
        return keypairs.get(str(ctxt.user_id), name)

    def room(self, ctxt: RequestContext, flavor: Flavor, fewest: int, most: int) -> int:
        user_id = str(ctxt.user_id)
        return quota.room(str(ctxt.project_id), quota_counts([flavor]), fewest, most, user_id=user_id)

    def server_group(self, ctxt: RequestContext, uuid: str) -> ServerGroup:
        return server_groups.get(uuid, project_id=None if ctxt.is_admin else str(ctxt.project_id))

    def has_zone(self, name: str) -> bool:
        """Whether the availability zone has a host in it. One that is known is believed for some seconds."""
        until, zones = self._zones
        if monotonic() > until or name not in zones:
            named = aggregates.availability_zone_of_hosts()
            hosts = [service.host for service in services.list(binary=COMPUTE)]
            zones = frozenset(named.get(host, self._conf.default_availability_zone) for host in hosts)
            self._zones = (monotonic() + _ZONES_FRESH_S, zones)
        return name in zones

    def zone_of(self, host: str) -> str:
        """The availability zone of a host."""
        return str(aggregates.availability_zone_of_hosts().get(host, self._conf.default_availability_zone))

    def volume(self, ctxt: RequestContext, volume_id: str) -> Volume:
        return self._volume.get(ctxt, volume_id)

    def snapshot(self, ctxt: RequestContext, snapshot_id: str) -> Snapshot:
        return self._volume.get_snapshot(ctxt, snapshot_id)

    def has_volume_type(self, ctxt: RequestContext, name: str) -> bool:
        return self._volume.has_type(ctxt, name)

    def networks(
        self, ctxt: RequestContext, requests: Requests, groups: tuple[str, ...], count: int
    ) -> Wanted:
        try:
            return self._network.validate(ctxt, requests, groups, count)
        except exception.FixedIpInUse as error:
            raise exception.Invalid(error.message) from error  # a conflict only where a server has it already
