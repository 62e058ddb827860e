"""The token check in front of our APIs: keystonemiddleware, with the credentials of [service_auth].

What an operator sets in [keystone_authtoken] wins, option by option, so that a configuration made for Nova works.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keystoneauth1 import loading
from keystonemiddleware import auth_token
from oslo_config import cfg

from nova_lite import exception
from nova_lite.identity.token_check import TokenCheck

GROUP = "keystone_authtoken"


def authtoken_settings(conf: cfg.ConfigOpts) -> dict[str, Any]:
    """The settings of auth_token's Paste filter that [service_auth] implies and [keystone_authtoken] leaves open."""
    _register(conf)
    return {name: value for name, value in _implied(conf).items() if value is not None and not _is_set(conf, name)}


def check(conf: cfg.ConfigOpts) -> None:
    """Can tokens be checked at all? Nobody is talked to.

    :raises ConfigInvalid: neither [service_auth] nor [keystone_authtoken] has what a login needs.
    """
    if conf.api.auth_strategy != "keystone":
        return  # nobody is asked; and options that were registered and are not set would stand in the way of a reload
    _register(conf)
    if _is_set(conf, "auth_type"):
        return  # another way to log in has needs of its own
    for name in ("auth_url", "username", "password"):
        if not conf.service_auth[name] and not _is_set(conf, name):
            raise exception.ConfigInvalid(
                detail=f"[service_auth] {name} is not set: tokens cannot be checked, nor neighbours asked, without it "
                "(nova-lite-all-in-one sets it itself)."
            )


def _implied(conf: cfg.ConfigOpts) -> dict[str, Any]:
    options = conf.service_auth
    return {
        "auth_type": "password",
        "auth_url": options.auth_url,
        "username": options.username,
        "password": options.password,
        "project_name": options.project_name,
        "user_domain_name": options.user_domain_name,
        "project_domain_name": options.project_domain_name,
        "region_name": options.region_name,
        "interface": options.interface,
        "www_authenticate_uri": options.auth_url,
        "cafile": options.cafile,
        "insecure": options.insecure,
        "http_connect_timeout": int(options.timeout_s) or 1,
        "service_token_roles_required": True,
    }


def _register(conf: cfg.ConfigOpts) -> None:
    """Make the group's options readable; a second time does nothing."""
    for group, options in auth_token.list_opts():
        if group == GROUP:
            conf.register_opts(options, group=GROUP)
    loading.register_auth_conf_options(conf, GROUP)
    conf.register_opts(loading.get_auth_plugin_conf_options("password"), group=GROUP)


def _is_set(conf: cfg.ConfigOpts, name: str) -> bool:
    """Whether the operator wrote the option into [keystone_authtoken]."""
    location = conf.get_location(name, GROUP)
    return location is not None and location.location not in (cfg.Locations.opt_default, cfg.Locations.set_default)


def apply(conf: cfg.ConfigOpts) -> None:
    """Make [service_auth] the default of [keystone_authtoken]."""
    for name, value in authtoken_settings(conf).items():
        conf.set_default(name, value, group=GROUP)


def filter_factory(global_conf: dict[str, Any], **local_conf: Any) -> Callable[[Any], TokenCheck]:
    """The Paste entry; settings in the Paste file win over both groups."""

    def make(app: Any) -> TokenCheck:
        apply(cfg.CONF)
        return TokenCheck(app, {**local_conf, "oslo_config_config": cfg.CONF})

    return make
