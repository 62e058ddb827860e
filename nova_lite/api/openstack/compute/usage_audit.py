"""The usage audit log: the report of a task that Nova's hosts run each month where they are told to.

No host here runs it (usage is computed from the servers whenever it is asked for), and the report says so.
"""

from __future__ import annotations

import datetime
from typing import Any

from nova_lite import exception
from nova_lite.api.openstack.request import Request
from nova_lite.clock import utcnow
from nova_lite.db.api import services
from nova_lite.liveness import COMPUTE

_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")
# A month before the first year is none.
_FIRST = datetime.datetime(2, 1, 1)


class UsageAuditController:
    def index(self, req: Request) -> dict[str, Any]:
        return {"instance_usage_audit_logs": _report(utcnow())}

    def show(self, req: Request, id: str) -> dict[str, Any]:
        """
        :raises Invalid: the path's last part is no time
        """
        for form in _FORMS:
            try:
                before = datetime.datetime.strptime(id, form)
            except ValueError:
                continue
            return {"instance_usage_audit_log": _report(before)}
        raise exception.Invalid(f"Invalid timestamp for date {id}")


def _report(before: datetime.datetime) -> dict[str, Any]:
    """Of the last whole month before a moment."""
    end = max(before, _FIRST).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    begin = end.replace(year=end.year - 1, month=12) if end.month == 1 else end.replace(month=end.month - 1)
    hosts = sorted(service.host for service in services.list(binary=COMPUTE))
    return {
        "period_beginning": str(begin),
        "period_ending": str(end),
        "num_hosts": len(hosts),
        "num_hosts_done": 0,
        "num_hosts_running": 0,
        "num_hosts_not_run": len(hosts),
        "hosts_not_run": hosts,
        "total_instances": 0,
        "total_errors": 0,
        "overall_status": f"0 of {len(hosts)} hosts done. 0 errors.",
        "log": {},
    }
