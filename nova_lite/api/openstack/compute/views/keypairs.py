"""A keypair as JSON, at every microversion."""

from __future__ import annotations

from nova_lite.api.openstack.compute.views.times import micro
from nova_lite.api.openstack.compute.views.undo import History, View, drop, step
from nova_lite.api.openstack.microversions import Microversion
from nova_lite.objects import KeyPair

_HISTORY = History(step("2.2", drop("type")))


def item(keypair: KeyPair, version: Microversion) -> dict[str, View]:
    """One of a list, wrapped once more."""
    view = {
        "name": keypair.name,
        "public_key": keypair.public_key,
        "fingerprint": keypair.fingerprint,
        "type": keypair.type,
    }
    return {"keypair": _HISTORY.walk_back(view, version)}


def show(keypair: KeyPair, version: Microversion) -> dict[str, View]:
    view = item(keypair, version)
    view["keypair"].update(
        {
            "id": keypair.id,
            "user_id": keypair.user_id,
            "deleted": False,
            "created_at": micro(keypair.created_at),
            "updated_at": micro(keypair.updated_at),
            "deleted_at": None,
        }
    )
    return view


def created(keypair: KeyPair, version: Microversion, private_key: str | None) -> dict[str, View]:
    """The answer of create; a generated private key is shown here and nowhere else."""
    view = item(keypair, version)
    view["keypair"]["user_id"] = keypair.user_id
    if private_key is not None:
        view["keypair"]["private_key"] = private_key
    return view
