"""The way from the operator's tool to the compute hosts, for verbs that must ask them."""

from __future__ import annotations

from pathlib import Path

from oslo_config import cfg

from nova_lite import exception, rpc
from nova_lite.embedded import files

# Messages that never leave their process.
_INSIDE = ("kombu+memory", "memory", "fake")
# oslo.messaging's word for "nobody set it".
_UNSET = "rabbit://"


def open_way(conf: cfg.ConfigOpts) -> None:
    """Open the transport; rpc.cleanup() closes it.

    :raises ConfigInvalid: the URL is none; or the hosts are inside another process, where no message from here arrives.
    """
    rpc.init(conf)
    url = str(conf.transport_url)
    holder = files.holder(Path(conf.embedded.directory) / "lock")
    if url.partition(":")[0] in _INSIDE or (url == _UNSET and holder is not None):
        rpc.cleanup()
        whose = f"nova-lite-all-in-one (process {holder})" if holder is not None else "its one process"
        raise exception.ConfigInvalid(
            detail=f"This cloud has its messages inside {whose}: its hosts cannot be asked from outside. The daemon's "
            "own audit asks them; nova-lite-manage audit needs --no-hosts here."
        )
