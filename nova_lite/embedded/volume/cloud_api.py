"""What clients read around volumes: limits, quotas, zones, services, extensions, pools."""

from __future__ import annotations

from typing import Any

import webob

from nova_lite import clock
from nova_lite.embedded.volume import records
from nova_lite.embedded.volume.requests import Asked, routes
from nova_lite.embedded.volume.store import Store
from nova_lite.embedded.wsgi import Route, json_response

# As Cinder's defaults, but nothing is counted against them but by this view: the disk is the limit.
_LIMITS = {
    "volumes": 1000, "snapshots": 1000, "gigabytes": 100_000, "backups": 0, "backup_gigabytes": 0, "groups": 0,
    "per_volume_gigabytes": -1,
}  # fmt: skip


class CloudApi:
    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        return [
            *routes("GET", "/limits", self.limits),
            *routes("GET", "/os-quota-sets/{project}", self.quotas),
            *routes("GET", "/os-quota-sets/{project}/defaults", self.default_quotas),
            *routes("GET", "/os-availability-zone", self.zones),
            *routes("GET", "/os-services", self.services),
            *routes("GET", "/extensions", self.extensions),
            *routes("GET", "/scheduler-stats/get_pools", self.pools),
            *routes("GET", "/backups", self.backups),
            *routes("GET", "/backups/detail", self.backups),
            *routes("GET", "/os-volume-transfer/detail", self.transfers),
        ]

    def _used(self, project: str | None) -> dict[str, int]:
        volumes = [each for each in self._store.volumes.all() if each.project_id == project]
        snapshots = [each for each in self._store.snapshots.all() if each.project_id == project]
        used = dict.fromkeys(_LIMITS, 0)
        return used | {
            "volumes": len(volumes), "snapshots": len(snapshots),
            "gigabytes": sum(each.size for each in volumes) + sum(each.size for each in snapshots),
        }  # fmt: skip

    def limits(self, asked: Asked) -> webob.Response:
        used = self._used(asked.caller.project_id)
        absolute = {
            "maxTotalVolumes": _LIMITS["volumes"],
            "maxTotalSnapshots": _LIMITS["snapshots"],
            "maxTotalVolumeGigabytes": _LIMITS["gigabytes"],
            "maxTotalBackups": _LIMITS["backups"],
            "maxTotalBackupGigabytes": _LIMITS["backup_gigabytes"],
            "totalVolumesUsed": used["volumes"],
            "totalSnapshotsUsed": used["snapshots"],
            "totalGigabytesUsed": used["gigabytes"],
            "totalBackupsUsed": 0,
            "totalBackupGigabytesUsed": 0,
        }
        return json_response({"limits": {"rate": [], "absolute": absolute}})

    def quotas(self, asked: Asked, project: str) -> webob.Response:
        used = self._used(project)
        shown: dict[str, Any] = {"id": project}
        detailed = asked.http.GET.get("usage", "").lower() in ("true", "1")
        for name, limit in _LIMITS.items():
            shown[name] = {"limit": limit, "in_use": used[name], "reserved": 0} if detailed else limit
        return json_response({"quota_set": shown})

    def default_quotas(self, asked: Asked, project: str) -> webob.Response:
        return json_response({"quota_set": {"id": project, **_LIMITS}})

    def zones(self, asked: Asked) -> webob.Response:
        return json_response({"availabilityZoneInfo": [{"zoneName": "nova", "zoneState": {"available": True}}]})

    def services(self, asked: Asked) -> webob.Response:
        asked.caller.require_admin("volume_extension:services:index")
        hosts = {"cinder-scheduler": "embedded", "cinder-volume": "embedded@local"}
        rows = [
            {
                "binary": binary, "host": host, "zone": "nova", "status": "enabled", "state": "up",
                "updated_at": records.now(), "disabled_reason": None,
            }
            for binary, host in hosts.items()
        ]  # fmt: skip
        return json_response({"services": rows})

    def extensions(self, asked: Asked) -> webob.Response:
        return json_response({"extensions": []})

    def pools(self, asked: Asked) -> webob.Response:
        asked.caller.require_admin("scheduler_extension:scheduler_stats:get_pools")
        return json_response(
            {"pools": [{"name": "embedded@local#files", "capabilities": {"timestamp": str(clock.utcnow())}}]}
        )

    def backups(self, asked: Asked) -> webob.Response:
        return json_response({"backups": []})

    def transfers(self, asked: Asked) -> webob.Response:
        return json_response({"transfers": []})
