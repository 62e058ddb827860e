"""nova-lite-api: one WSGIService per [DEFAULT] enabled_apis, in this process or in workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nova_lite import concurrency

if TYPE_CHECKING:
    from oslo_config import cfg

    from nova_lite.service import WSGIService

BINARY = "nova-lite-api"

# Seconds the API waits for the database before it serves all the same and answers 503.
DATABASE_WAIT_S = 5.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon until it is told to end; the exit code, 1 when no API could be started."""
    concurrency.patch()
    from nova_lite.cmd import startup

    conf = startup.begin(BINARY, argv)
    return startup.explained(BINARY, lambda: _run(conf))


def _run(conf: cfg.ConfigOpts) -> int:
    from oslo_log import log as logging

    from nova_lite import policy
    from nova_lite.cmd import startup
    from nova_lite.prefork import Prefork

    policy.init(conf)
    startup.open_database(conf)
    services = start_services(conf)
    if not services:
        logging.getLogger(__name__).critical("no API was started: see the errors above")
        return 1
    if all(service.workers == 1 for service in services):
        return _serve(services, conf)
    return Prefork(BINARY, services, lambda service, ready: _work(service, conf, ready), conf).run()


def start_services(conf: cfg.ConfigOpts) -> list[WSGIService]:
    """A WSGIService per enabled API; one that cannot be made is logged and skipped.

    :raises ConfigInvalid: it is the only one.
    """
    from oslo_log import log as logging

    from nova_lite import exception
    from nova_lite.api import deploy
    from nova_lite.identity import authtoken
    from nova_lite.service import WSGIService

    log = logging.getLogger(__name__)
    services = []
    for name in conf.enabled_apis:
        try:
            refuse_open_noauth(name, conf)
            authtoken.check(conf)
            app = deploy.load_app(name, conf=conf)
            services.append(WSGIService(name, lambda app=app: app, conf))  # type: ignore[misc]
        except exception.ConfigInvalid as error:
            if len(conf.enabled_apis) == 1:
                raise
            log.error("%s is not started: %s", name, error)
        except Exception:
            log.exception("%s is not started", name)
    return services


def refuse_open_noauth(name: str, conf: cfg.ConfigOpts) -> None:
    """Believing everybody is for one machine only.

    :raises ConfigInvalid: it would be offered to others.
    """
    from nova_lite import exception
    from nova_lite.embedded.listen import is_loopback

    address = getattr(conf, f"{name}_listen")
    if conf.api.auth_strategy == "noauth2" and not is_loopback(address):
        raise exception.ConfigInvalid(
            detail=f"[api] auth_strategy = noauth2 believes whatever a client says, and {address} is not a loopback "
            f"address: set [DEFAULT] {name}_listen = 127.0.0.1, or use keystone."
        )


def _serve(services: Sequence[WSGIService], conf: cfg.ConfigOpts) -> int:
    """All in this process."""
    from nova_lite import rpc
    from nova_lite.cmd import startup

    rpc.init(conf)
    return startup.serve(BINARY, [[startup.database_gate(conf, DATABASE_WAIT_S)], services], conf)


def _work(service: WSGIService, conf: cfg.ConfigOpts, ready: Callable[[], object]) -> int:
    """One worker: its own transport and database connections, made after the fork."""
    from nova_lite import rpc
    from nova_lite.cmd import startup
    from nova_lite.signals import WORKER

    rpc.init(conf)
    gate = startup.database_gate(conf, DATABASE_WAIT_S)
    return startup.serve(BINARY, [[gate], [service]], conf, on_ready=ready, handled=WORKER)
