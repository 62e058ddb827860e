"""The embedded identity service as a Paste application."""

from __future__ import annotations

import http
from pathlib import Path
from typing import Any

from oslo_config import cfg

from nova_lite.embedded import listen
from nova_lite.embedded.identity import bootstrap
from nova_lite.embedded.identity.authentication import Authenticator
from nova_lite.embedded.identity.catalog import Catalog
from nova_lite.embedded.identity.changes_api import ChangesApi
from nova_lite.embedded.identity.directory_api import DirectoryApi
from nova_lite.embedded.identity.discovery import Discovery
from nova_lite.embedded.identity.revocations import Revocations
from nova_lite.embedded.identity.throttle import Throttle
from nova_lite.embedded.identity.tokens import Signer
from nova_lite.embedded.identity.tokens_api import TokensApi
from nova_lite.embedded.identity.users_file import UsersFile
from nova_lite.embedded.wsgi import Application


def identity_dir(conf: cfg.ConfigOpts) -> Path:
    return Path(conf.embedded.directory) / "identity"


def make_app(conf: cfg.ConfigOpts) -> Application:
    """The application; makes users and keys on the first start.

    :raises ConfigInvalid: a file of its state is unusable.
    """
    state = bootstrap.prepare(identity_dir(conf))
    options = conf.embedded
    authenticator = Authenticator(
        UsersFile(state.users),
        Signer(state.key.read_bytes().strip()),
        Revocations(state.revoked),
        Throttle(options.login_failure_limit, options.login_failure_window_s),
        options.token_lifetime_s,
    )
    urls = listen.service_urls(conf)
    url = urls[listen.IDENTITY]
    catalog = Catalog(urls, options.region_name)
    rooms = (
        Discovery(url),
        TokensApi(authenticator, catalog, url),
        DirectoryApi(authenticator, catalog, url),
        ChangesApi(authenticator, url),
    )
    table = [route for room in rooms for route in room.routes()]
    return Application(table, fault, challenge=lambda req: f'Keystone uri="{url}"')


def fault(status: int, message: str) -> dict[str, Any]:
    """An error as Keystone words it."""
    return {"error": {"code": status, "message": message, "title": http.HTTPStatus(status).phrase}}


def app_factory(global_conf: dict[str, Any], **local_conf: Any) -> Application:
    """The Paste entry."""
    return make_app(cfg.CONF)
