"""The filters that other projects made, in the pipeline only where the configuration asks for them.

Each of them builds WebOb requests and responses (16 to 26 us, STACK section 4); one with nothing to do costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oslo_middleware import cors, http_proxy_to_wsgi
from osprofiler import opts as profiler_opts
from osprofiler import web as profiler_web

from nova_lite.api import deploy
from nova_lite.identity import authtoken
from nova_lite.identity.token_check import TokenCheck

App = Callable[[dict[str, Any], Callable[..., Any]], Any]

_NOVA_HEADERS = ["X-Auth-Token", "X-Openstack-Request-Id", "X-Identity-Status", "X-Roles", "X-Service-Catalog",
                 "X-User-Id", "X-Tenant-Id", "X-OpenStack-Nova-API-Version", "OpenStack-API-Version"]  # fmt: skip
_EXPOSED = ["X-Auth-Token", "X-Openstack-Request-Id", "X-Subject-Token", "X-Service-Token",
            "X-OpenStack-Nova-API-Version", "OpenStack-API-Version"]  # fmt: skip


def cors_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[App], App]:
    """Cross-origin headers, where [cors] allowed_origin is set."""
    conf = deploy.configuration()
    cors.set_defaults(
        allow_headers=_NOVA_HEADERS, expose_headers=_EXPOSED, allow_methods=["GET", "PUT", "POST", "DELETE", "PATCH"]
    )
    conf.register_opts(cors.CORS_OPTS, "cors")
    if not conf.cors.allowed_origin:
        return _unchanged
    return lambda app: cors.CORS(app, conf)


def http_proxy_to_wsgi_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[App], App]:
    """The forwarding headers of a trusted proxy, where [oslo_middleware] enable_proxy_headers_parsing says so."""
    conf = deploy.configuration()
    conf.register_opts(http_proxy_to_wsgi.OPTS, "oslo_middleware")
    if not conf.oslo_middleware.enable_proxy_headers_parsing:
        return _unchanged
    return lambda app: http_proxy_to_wsgi.HTTPProxyToWSGI(app, conf)


def osprofiler_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[App], App]:
    """Traces, where [profiler] enabled says so."""
    conf = deploy.configuration()
    profiler_opts.set_defaults(conf)
    if not conf.profiler.enabled:
        return _unchanged
    return lambda app: profiler_web.WsgiMiddleware(app, hmac_keys=conf.profiler.hmac_keys, enabled=True)


def authtoken_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[App], App]:
    """keystonemiddleware with the credentials that are written once, in [service_auth]; local settings win."""
    conf = deploy.configuration()
    authtoken.apply(conf)
    return lambda app: TokenCheck(app, {**local_conf, "oslo_config_config": conf})


def _unchanged(app: App) -> App:
    return app
