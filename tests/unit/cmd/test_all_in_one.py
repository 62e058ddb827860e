from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

import pytest
from oslo_config import cfg

from nova_lite import config, exception
from nova_lite.cmd import all_in_one, startup


@pytest.fixture
def conf() -> Iterator[cfg.ConfigOpts]:
    private = cfg.ConfigOpts()
    config.register_all(private)
    private([], default_config_files=[], default_config_dirs=[])
    yield private
    private.clear()


def apply(conf: cfg.ConfigOpts, *words: str) -> cfg.ConfigOpts:
    all_in_one.override(conf, all_in_one.parser().parse_args(list(words)))
    return conf


def test_without_flags_the_configuration_stays(conf: cfg.ConfigOpts) -> None:
    before = (conf.state_path, conf.compute.driver, conf.osapi_compute_listen_port)
    apply(conf)
    assert (conf.state_path, conf.compute.driver, conf.osapi_compute_listen_port) == before


def test_flags_win(conf: cfg.ConfigOpts) -> None:
    conf.set_override("driver", "libvirt", group="compute")
    apply(conf, "--fake", "--state-dir", "/some/place", "--port-base", "7000", "--image-port", "8000")
    assert conf.compute.driver == "fake"
    assert conf.state_path == "/some/place"
    assert (conf.embedded.identity_port, conf.embedded.image_port, conf.osapi_compute_listen_port) == (7000, 8000, 7002)


@pytest.mark.parametrize("word", ["0", "70000", "x"])
def test_a_wrong_port_is_refused(word: str) -> None:
    with pytest.raises(SystemExit) as caught:
        all_in_one.parser().parse_args(["--port-base", word])
    assert caught.value.code == 2


def test_flags_of_oslo_config_are_left_to_it() -> None:
    flags, rest = all_in_one.parser().parse_known_args(["--fake", "--config-file", "x", "--debug"])
    assert flags.fake
    assert rest == ["--config-file", "x", "--debug"]


def test_advice_names_the_urls_and_the_first_commands() -> None:
    where = types.SimpleNamespace(clouds_yaml="/state/clouds.yaml")
    apis = [types.SimpleNamespace(name="osapi_compute", url="http://127.0.0.1:8774")]
    text = all_in_one.advice(where, apis)  # type: ignore[arg-type]
    for part in ("http://127.0.0.1:8774", "OS_CLIENT_CONFIG_FILE=/state/clouds.yaml", "server create"):
        assert part in text


def test_fake_hosts_have_numbered_names(conf: cfg.ConfigOpts) -> None:
    conf.set_override("host", "box")
    assert all_in_one.host_names(conf) == ["box"]
    assert all_in_one.host_names(apply(conf, "--fake", "--hosts", "3")) == ["box", "box-2", "box-3"]
    conf.set_override("driver", "libvirt", group="compute")
    with pytest.raises(exception.ConfigInvalid, match="only the fake driver"):
        all_in_one.host_names(conf)


def test_neighbours_serve_before_the_hosts_that_may_need_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host gives ports of stale guests back while it starts: it waited 90 s for the network service behind it."""
    started: list[Any] = []
    for place in ("nova_lite.embedded.profile.prepare", "nova_lite.policy.init", "nova_lite.rpc.init"):
        monkeypatch.setattr(place, lambda *args: None)
    monkeypatch.setattr(all_in_one, "prepare_database", lambda conf: None)
    monkeypatch.setattr(all_in_one, "wsgi_services", lambda conf: ["identity", "network", "compute API"])
    monkeypatch.setattr(all_in_one, "rpc_services", lambda conf: (["conductor"], ["host"]))
    monkeypatch.setattr(startup, "serve", lambda binary, groups, conf, on_ready: started.extend(groups))
    all_in_one._run(cfg.ConfigOpts(), all_in_one.parser().parse_args(["--quiet"]))
    assert started == [["identity", "network"], ["conductor"], ["host"], ["compute API"]]


@pytest.mark.parametrize("number", ["0", "-1", "101"])
def test_a_cloud_without_hosts_is_none(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        all_in_one.parser().parse_args(["--fake", "--hosts", number])
    assert caught.value.code == 2
    assert "is not between 1 and 100" in capsys.readouterr().err
