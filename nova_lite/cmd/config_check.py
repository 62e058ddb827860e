"""What a careful operator would look at before a start: everything that can be known without talking to anybody."""

from __future__ import annotations

import os
from collections.abc import Iterator

from oslo_config import cfg

from nova_lite import config, exception


def files(conf: cfg.ConfigOpts) -> list[str]:
    """The configuration files that are read."""
    return config.config_files(conf)


def problems(conf: cfg.ConfigOpts) -> Iterator[object]:
    """Sentences, each naming the option and the remedy."""
    yield from config.unknown_keys(conf)
    yield from config.misfits(conf)
    for check in (_database, _transport, _applications, _credentials, _tls, _policy, _state_path):
        try:
            check(conf)
        except exception.NovaLiteError as error:
            yield error


def _database(conf: cfg.ConfigOpts) -> None:
    from nova_lite.db import session

    session.configure(conf)


def _transport(conf: cfg.ConfigOpts) -> None:
    from nova_lite import rpc

    rpc.init(conf)
    rpc.cleanup()


def _applications(conf: cfg.ConfigOpts) -> None:
    from nova_lite.api import deploy

    path = deploy.find_paste_config(conf.api.paste_config, conf)
    known = deploy.applications(path)
    missing = [name for name in conf.enabled_apis if name not in known]
    if missing:
        raise exception.ConfigInvalid(detail=f"[DEFAULT] enabled_apis: {path} has no {', '.join(missing)}")


def _credentials(conf: cfg.ConfigOpts) -> None:
    from nova_lite.identity import authtoken

    authtoken.check(conf)


def _tls(conf: cfg.ConfigOpts) -> None:
    from nova_lite import wsgi

    strangers = [name for name in conf.enabled_ssl_apis if name not in conf.enabled_apis]
    if strangers:
        raise exception.ConfigInvalid(detail=f"[DEFAULT] enabled_ssl_apis: {', '.join(strangers)} is not enabled")
    if conf.enabled_ssl_apis:
        wsgi.tls_context(conf)


def _policy(conf: cfg.ConfigOpts) -> None:
    from nova_lite import policy

    policy.Policy(conf)


def _state_path(conf: cfg.ConfigOpts) -> None:
    path = conf.state_path
    while not os.path.exists(path):
        path = os.path.dirname(path) or "/"
    if not os.access(path, os.W_OK):
        raise exception.ConfigInvalid(detail=f"[DEFAULT] state_path: {path} cannot be written by this user")
