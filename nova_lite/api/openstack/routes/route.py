"""Route: one row of the table of calls.

A row's policy is asked by the dispatcher: of the subject's project where the row has a subject, else of the caller's
own; rows without a policy ask by themselves, or everybody may.
"""

from __future__ import annotations

from dataclasses import dataclass

from nova_lite.api.openstack.microversions import MIN, Microversion, Versioned

# Every rule of the compute API begins with it.
OS = "os_compute_api:"


@dataclass(frozen=True)
class Route:
    """``handler`` is ``controller:method``, ``status`` the success code, ``subject`` what the path's id stands for.

    ``action`` is the one key of the body, for the rows that share a path ``.../action``. ``until`` is the last version
    that has the call.
    """

    method: str
    path: str
    handler: str
    policy: str | None = None
    status: int | Versioned[int] = 200
    since: Microversion = MIN
    until: Microversion | None = None
    subject: str | None = None
    action: str | None = None

    def valid_at(self, version: Microversion) -> bool:
        return self.since <= version and (self.until is None or version <= self.until)
