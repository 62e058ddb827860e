"""What an RPC server that stops leaves to the next one.

oslo.messaging's rabbit driver acknowledges a request as it comes off the wire. While a stopped server's connection is
being closed, requests still come off it (the driver deletes its fanout queue and waits for the broker's word); they are
acknowledged, put into a list that nobody reads any more, and their callers wait for their whole timeout. What is not
acknowledged goes back into the queue when the connection is gone, and to whoever serves next.
"""

from __future__ import annotations

import logging
from typing import Any

LOG = logging.getLogger(__name__)


def leave_the_rest(server: Any) -> None:
    """From now on a stopped server of oslo.messaging takes no request off the wire.

    It reaches into the driver; where that is built otherwise, it says so and leaves all as it is.
    """
    try:
        consumers = list(server.listener._poll_style_listener.conn._consumers)
        for consumer in consumers:
            consumer.callback = _leave
    except AttributeError as error:
        LOG.debug("the driver has no consumers to tell that this server has stopped: %s", error)


def _leave(message: Any) -> None:
    """Neither acknowledged nor refused: the broker gives it to somebody else."""
