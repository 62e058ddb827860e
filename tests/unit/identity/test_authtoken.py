"""Credentials written once: what [service_auth] implies and [keystone_authtoken] overrules."""

from __future__ import annotations

import pytest
from keystonemiddleware import auth_token
from oslo_config import cfg

from nova_lite.conf import api, service_auth
from nova_lite.identity import authtoken

OURS = "[service_auth]\nauth_url = http://ours/v3\npassword = ours\nregion_name = North\n"


@pytest.fixture
def make(tmp_path):
    def conf_of(text: str) -> cfg.ConfigOpts:
        path = tmp_path / "nova-lite.conf"
        path.write_text(text)
        conf = cfg.ConfigOpts()
        conf(["--config-file", str(path)])
        service_auth.register(conf)
        return conf

    return conf_of


def test_all_is_derived_where_nothing_else_is_said(make):
    settings = authtoken.authtoken_settings(make(OURS))
    expected = {
        "auth_type": "password", "auth_url": "http://ours/v3", "www_authenticate_uri": "http://ours/v3",
        "username": "nova", "password": "ours", "project_name": "service", "user_domain_name": "Default",
        "project_domain_name": "Default", "region_name": "North", "interface": "internal",
        "service_token_roles_required": True,
    }  # fmt: skip
    assert expected.items() <= settings.items() and "cafile" not in settings


def test_each_option_set_for_nova_wins(make):
    text = OURS + "[keystone_authtoken]\nusername = theirs\nwww_authenticate_uri = http://public\ninsecure = true\n"
    conf = make(text)
    settings = authtoken.authtoken_settings(conf)
    assert not {"username", "www_authenticate_uri", "insecure"} & set(settings)
    authtoken.apply(conf)
    group = conf.keystone_authtoken
    assert (group.username, group.password, group.www_authenticate_uri) == ("theirs", "ours", "http://public")
    assert group.insecure is True and group.auth_url == "http://ours/v3"


def test_the_middleware_can_be_made_of_it(make):
    conf = make(OURS)
    authtoken.apply(conf)
    authtoken.apply(conf)
    app = auth_token.AuthProtocol(None, {"oslo_config_config": conf})
    assert app._auth._username == "nova" and app._auth.auth_url == "http://ours/v3"


@pytest.mark.parametrize("strategy", ["noauth2", "keystone"])
def test_the_files_can_be_read_again_afterwards(make, strategy):
    """The library's options are required where they are registered."""
    conf = make(OURS + f"[api]\nauth_strategy = {strategy}\n")
    api.register(conf)
    authtoken.check(conf)
    if strategy == "keystone":
        authtoken.apply(conf)
    conf.mutate_config_files()
