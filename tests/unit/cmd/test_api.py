from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from oslo_config import cfg

from nova_lite import config, exception
from nova_lite.api import deploy
from nova_lite.cmd import api, config_check
from nova_lite.identity import authtoken


@pytest.fixture
def conf() -> Iterator[cfg.ConfigOpts]:
    private = cfg.ConfigOpts()
    config.register_all(private)
    private([], default_config_files=[], default_config_dirs=[])
    private.set_override("osapi_compute_listen", "127.0.0.1")
    private.set_override("osapi_compute_listen_port", 0)
    for name in ("auth_url", "password"):
        private.set_override(name, "http://identity.invalid", group="service_auth")
    yield private
    private.clear()


def load(name: str, *args: Any, **kwargs: Any) -> Any:
    if name == "metadata":
        raise exception.ConfigInvalid(detail="no app 'metadata'")
    return lambda environ, start_response: [b""]


def test_an_api_that_cannot_be_made_is_skipped(conf: cfg.ConfigOpts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "load_app", load)
    conf.set_override("enabled_apis", ["metadata", "osapi_compute"])
    services = api.start_services(conf)
    assert [service.name for service in services] == ["osapi_compute"]
    for service in services:
        service.close()


def test_a_bug_in_one_api_does_not_cost_the_others(conf: cfg.ConfigOpts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "load_app", lambda name, conf: 1 / 0)
    assert api.start_services(conf) == []


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.7"])
def test_believing_everybody_stays_on_this_machine(conf: cfg.ConfigOpts, address: str) -> None:
    conf.set_override("osapi_compute_listen", address)
    api.refuse_open_noauth("osapi_compute", conf)
    conf.set_override("auth_strategy", "noauth2", group="api")
    with pytest.raises(exception.ConfigInvalid, match="osapi_compute_listen"):
        api.refuse_open_noauth("osapi_compute", conf)
    conf.set_override("osapi_compute_listen", "::1")
    api.refuse_open_noauth("osapi_compute", conf)


@pytest.mark.parametrize("missing", ["auth_url", "username", "password"])
def test_who_cannot_check_tokens_is_told_so_in_one_sentence(conf: cfg.ConfigOpts, missing: str) -> None:
    conf.set_override(missing, None, group="service_auth")
    with pytest.raises(exception.ConfigInvalid, match=f"service_auth. {missing} is not set"):
        api.start_services(conf)
    problems = [str(problem) for problem in config_check.problems(conf)]
    assert any(f"[service_auth] {missing} is not set" in problem for problem in problems)
    conf.set_override(missing, "x", group="keystone_authtoken")
    authtoken.check(conf)
    conf.clear_override(missing, group="keystone_authtoken")
    conf.set_override("auth_strategy", "noauth2", group="api")
    authtoken.check(conf)
