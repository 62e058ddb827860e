"""Sessions towards the neighbours: one per process, with nova-lite's own credentials or a user's token."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from keystoneauth1 import adapter, plugin, service_token
from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import session as ks_session
from keystoneauth1.identity import generic
from oslo_config import cfg
from oslo_log import log as logging

from nova_lite import concurrency, exception
from nova_lite.context import RequestContext
from nova_lite.identity import pace

LOG = logging.getLogger(__name__)

pace.keep()  # before the first adapter is made
_UNREACHABLE = (ks_exceptions.ConnectFailure, ks_exceptions.DiscoveryFailure, ks_exceptions.RetriableConnectionFailure)

_lock = concurrency.Lock()
# By the identity of the configuration object, which the value keeps alive: ConfigOpts cannot be hashed.
_made: dict[int, tuple[cfg.ConfigOpts, ks_session.Session]] = {}


def session(conf: cfg.ConfigOpts) -> ks_session.Session:
    """The process's session, authenticated as nova-lite itself.

    :raises ConfigInvalid: [service_auth] lacks what a login needs.
    """
    with _lock:
        kept = _made.get(id(conf))
        if kept is None:
            kept = _made[id(conf)] = (conf, _new(conf))
        return kept[1]


def forget() -> None:
    """Drop all sessions, so that changed options count from the next use."""
    with _lock:
        _made.clear()


def _new(conf: cfg.ConfigOpts) -> ks_session.Session:
    options = conf.service_auth
    return ks_session.Session(
        auth=_service_plugin(conf),
        verify=False if options.insecure else (options.cafile or True),
        timeout=options.timeout_s,
        app_name="nova-lite",
    )


def _service_plugin(conf: cfg.ConfigOpts) -> plugin.BaseAuthPlugin:
    options = conf.service_auth
    for name in ("auth_url", "username", "password"):
        if not getattr(options, name):
            raise exception.ConfigInvalid(
                detail=f"[service_auth] {name} is not set: nova-lite cannot talk to its neighbours without it."
            )
    return generic.Password(
        auth_url=options.auth_url,
        username=options.username,
        password=options.password,
        project_name=options.project_name,
        user_domain_name=options.user_domain_name,
        project_domain_name=options.project_domain_name,
    )


@contextlib.contextmanager
def asking(neighbour: str) -> Iterator[None]:
    """Around a request to a neighbour ("image service"): what goes wrong on the way is said in our own words.

    :raises Unavailable: it cannot be reached, or refuses our own credentials.
    """
    try:
        yield
    except _UNREACHABLE:
        raise exception.Unavailable(f"The {neighbour} cannot be reached.") from None
    except ks_exceptions.Unauthorized:
        LOG.error("The identity service refuses the credentials of [service_auth]")
        raise exception.Unavailable(f"The {neighbour} cannot be used: nova-lite may not log in.") from None
    except ks_exceptions.ClientException as error:
        LOG.error("The %s cannot be used: %s", neighbour, error)
        raise exception.Unavailable(f"The {neighbour} cannot be used.") from None


class UserTokenAuth(plugin.BaseAuthPlugin):
    """Acts with a user's token; endpoints come from the catalogue of nova-lite's own token."""

    def __init__(self, token: str, service: plugin.BaseAuthPlugin) -> None:
        super().__init__()
        self._token = token
        self._service = service

    def get_token(self, session: ks_session.Session, **kwargs: Any) -> str:
        return self._token

    def get_endpoint(self, session: ks_session.Session, **kwargs: Any) -> str | None:
        endpoint: str | None = self._service.get_endpoint(session, **kwargs)
        return endpoint

    def get_endpoint_data(self, session: ks_session.Session, **kwargs: Any) -> Any:
        return self._service.get_endpoint_data(session, **kwargs)

    def invalidate(self) -> bool:
        """A user's token cannot be renewed here."""
        return False


def client(
    conf: cfg.ConfigOpts,
    ctxt: RequestContext | None,
    service_type: str,
    interfaces: list[str],
    region_name: str | None = None,
    endpoint_override: str | None = None,
    vouches: bool = False,
) -> adapter.Adapter:
    """A REST client of one neighbour: with the context's token where it has one, else with our own credentials.

    :param vouches: each request has our own token besides, as a service's: Cinder lets nobody else give back what a
        server has (OSSA-2023-003).
    """
    base = session(conf)
    assert base.auth is not None
    token = ctxt.auth_token if ctxt is not None else None
    auth = UserTokenAuth(token, base.auth) if token else base.auth
    return adapter.Adapter(
        base,
        auth=service_token.ServiceTokenAuthWrapper(user_auth=auth, service_auth=base.auth) if vouches else auth,
        service_type=service_type,
        interface=interfaces,
        region_name=region_name or conf.service_auth.region_name,
        endpoint_override=endpoint_override,
        global_request_id=getattr(ctxt, "global_id", None),
    )
