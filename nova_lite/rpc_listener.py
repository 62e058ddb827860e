"""Where an RPC server of ours does otherwise than oslo.messaging's driver has it.

What one that stops leaves to the next: the rabbit driver acknowledges a request as it comes off the wire. While a
stopped server's connection is being closed, requests still come off it (the driver deletes its fanout queue and waits
for the broker's word); they are acknowledged, put into a list that nobody reads any more, and their callers wait for
their whole timeout. What is not acknowledged goes back into the queue when the connection is gone, and to the next.

Whom it answers: a client whose queue of replies is not there is held for gone by the driver, which drops whatever is
for it for a minute. But where the broker was away for long, the server's own connection is back moments before that
queue, and a client that lives would hear nothing for the whole minute.
"""

from __future__ import annotations

import logging
from typing import Any

LOG = logging.getLogger(__name__)

# Seconds for which a client that was not there is held for gone.
GONE_S = 1.0
# How long a worker waits for the queue of one that may be: a minute by default.
RABBIT_DEFAULTS = {"kombu_missing_consumer_retry_timeout": 10}


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


def answer_who_comes_back(server: Any) -> None:
    """From now on a started server of oslo.messaging tries again soon to answer a client whose queue was not there.

    It reaches into the driver; where that is built otherwise, it says so and leaves all as it is.
    """
    try:
        gone = server.listener._poll_style_listener._obsolete_reply_queues
        gone._cache = type(gone._cache)(gone.SIZE, GONE_S)
    except AttributeError as error:
        LOG.debug("the driver holds no client for gone: %s", error)


def _leave(message: Any) -> None:
    """Neither acknowledged nor refused: the broker gives it to somebody else."""
