"""May a host that registers be who it says it is, and is this database the one it knows? Facts in, a sentence out."""

from __future__ import annotations

from nova_lite.db.api.cloud import Cloud
from nova_lite.objects import HostIdentity, Service

ADVICE = "Nothing was touched. What to do: doc/admin/host-identity.md."


def refusal(known: HostIdentity, row: Service | None, cloud: Cloud) -> str | None:
    """Why the host must not start; None when it may.

    ``known`` is what lies beside its guests, with no cloud where it never got an answer; ``row`` is its service.
    """
    if known.cloud and known.cloud != cloud.uuid:
        return (
            f"The guests of host '{known.host}' belong to cloud {known.cloud}, but this database is that of cloud "
            f"{cloud.uuid}: the host is configured for another database, or that was made anew. {ADVICE}"
        )
    if known.mark > cloud.mark or (row is not None and known.beats > row.beats):
        return (
            f"The database is an older copy than the one that host '{known.host}' knows (it counts {cloud.mark} starts "
            f"of daemons and {row.beats if row else 0} heartbeats of this host, which knows of {known.mark} and "
            f"{known.beats}): it was restored from a backup. {ADVICE}"
        )
    if row is not None and row.identity is not None and row.identity != known.uuid:
        why = "has lost its state directory" if not known.cloud else "has another host's state directory"
        return (
            f"Host '{known.host}' is known by the identity {row.identity}, and what starts under its name has "
            f"{known.uuid}: another machine has this name, or this one {why}. {ADVICE}"
        )
    return None
