"""Unknown keys are named with a suggestion, mutable options are taken over, mistakes are one sentence."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest
from oslo_config import cfg

from nova_lite import conf as catalogue
from nova_lite import config


@pytest.fixture
def conf() -> Iterator[cfg.ConfigOpts]:
    private = cfg.ConfigOpts()
    yield private
    private.reset()


def parse(conf: cfg.ConfigOpts, tmp_path: pathlib.Path, text: str) -> cfg.ConfigOpts:
    path = tmp_path / "nova-lite.conf"
    path.write_text(text)
    return config.parse_args(["--config-file", str(path)], "nova-lite-api", conf)


def test_defaults_are_enough(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> None:
    parse(conf, tmp_path, "")
    assert conf.enabled_apis == ["osapi_compute"]
    assert conf.osapi_compute_listen_port == 8774
    assert list(config.unknown_keys(conf)) == []


def test_every_group_is_registered(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> None:
    parse(conf, tmp_path, "")
    for group, options in catalogue.list_opts():
        section = conf if group == "DEFAULT" else conf[group]
        for option in options:
            assert option.dest in section, f"[{group}] {option.name}"


@pytest.mark.parametrize(
    ("text", "key", "suggestion"),
    [
        ("[DEFAULT]\nhosst = a\n", "hosst", "[DEFAULT] host"),
        ("[computee]\ndriver = fake\n", "driver", "[compute] driver"),
        ("[DEFAULT]\nmax_limit = 5\n", "max_limit", "[api] max_limit"),
        ("[oslo_messaging_rabbit]\nheartbeat_ratee = 5\n", "heartbeat_ratee", "[oslo_messaging_rabbit] heartbeat_rate"),
        ("[nonsense]\nxyzzy = 5\n", "xyzzy", None),
    ],
)
def test_a_key_nobody_reads_is_named(
    conf: cfg.ConfigOpts, tmp_path: pathlib.Path, text: str, key: str, suggestion: str | None
) -> None:
    parse(conf, tmp_path, text)
    (unknown,) = config.unknown_keys(conf)
    assert (unknown.key, unknown.suggestion) == (key, suggestion)
    assert "is not an option" in str(unknown)


def test_keys_of_libraries_are_known(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> None:
    text = (
        "[DEFAULT]\ntransport_url = rabbit://h/\ndebug = false\nlog_file = x\nrpc_response_timeout = 5\n"
        "[oslo_messaging_rabbit]\nrabbit_quorum_queue = true\n[oslo_policy]\npolicy_file = x\n"
        "[keystone_authtoken]\nauth_url = http://x\nusername = u\nmemcached_servers = x\n[cors]\nallowed_origin = x\n"
    )
    parse(conf, tmp_path, text)
    assert list(config.unknown_keys(conf)) == []


def test_a_wrong_value_is_one_sentence(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(conf, tmp_path, "[DEFAULT]\nosapi_compute_listen_port = many\n")
    assert "osapi_compute_listen_port" in str(caught.value)


def test_a_missing_file_is_one_sentence(conf: cfg.ConfigOpts) -> None:
    with pytest.raises(SystemExit) as caught:
        config.parse_args(["--config-file", "/nonexistent/x.conf"], "nova-lite-api", conf)
    assert "/nonexistent/x.conf" in str(caught.value)


def test_what_is_no_text_is_one_sentence(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> None:
    binary = tmp_path / "binary.conf"
    binary.write_bytes(b"[DEFAULT]\n\xff\xfe=1\n")
    for path in (tmp_path, binary):
        with pytest.raises(SystemExit) as caught:
            config.parse_args(["--config-file", str(path)], "nova-lite-api", conf)
        assert str(path) in str(caught.value)


def test_the_environment_beats_the_file(
    conf: cfg.ConfigOpts, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_DEFAULT__HOST", "from-environment")
    assert parse(conf, tmp_path, "[DEFAULT]\nhost = from-file\n").host == "from-environment"


def test_reload_takes_over_mutable_options_only(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> None:
    parse(conf, tmp_path, "[DEFAULT]\ngraceful_shutdown_timeout = 60\nhost = a\n")
    (tmp_path / "nova-lite.conf").write_text("[DEFAULT]\ngraceful_shutdown_timeout = 7\nhost = b\n")
    config.reload(conf)
    assert (conf.graceful_shutdown_timeout, conf.host) == (7, "a")


def test_reload_of_a_broken_file_changes_nothing(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> None:
    parse(conf, tmp_path, "[DEFAULT]\ngraceful_shutdown_timeout = 60\n")
    (tmp_path / "nova-lite.conf").write_text("[DEFAULT\n")
    config.reload(conf)
    (tmp_path / "nova-lite.conf").write_bytes(b"\xff\xfe")
    config.reload(conf)
    (tmp_path / "nova-lite.conf").unlink()
    config.reload(conf)
    assert conf.graceful_shutdown_timeout == 60


# -- numbers ------------------------------------------------------------------------------------------------------


def _numbers() -> list[tuple[str, cfg.Opt]]:
    kinds = (cfg.IntOpt, cfg.FloatOpt)
    return [(group, each) for group, options in catalogue.list_opts() for each in options if isinstance(each, kinds)]


def test_every_number_has_limits() -> None:
    """What has none overflows at noon, in the sum of two times."""
    bare = [f"[{group}] {each.name}" for group, each in _numbers() if None in (each.type.min, each.type.max)]
    assert bare == [] and len(_numbers()) > 50


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e12", "-1"])
def test_a_number_that_is_none_is_one_sentence(conf: cfg.ConfigOpts, tmp_path: pathlib.Path, text: str) -> None:
    with pytest.raises(SystemExit, match="nova-lite-api: .*lease_s"):
        parse(conf, tmp_path, f"[operations]\nlease_s = {text}\n")


def test_no_number_of_ours_may_be_nan(tmp_path: pathlib.Path) -> None:
    names = [(group, each.name) for group, each in _numbers() if isinstance(each, cfg.FloatOpt)]
    assert len(names) > 10
    for group, name in names:
        private = cfg.ConfigOpts()
        with pytest.raises(SystemExit, match=name):
            parse(private, tmp_path, f"[{group}]\n{name} = nan\n")


@pytest.mark.parametrize(
    ("options", "told", "is_fatal"),
    [
        ({}, "", False),
        ({"heartbeat_interval_s": 30, "lease_s": 0.5}, "no operation keeps its worker", True),
        ({"heartbeat_interval_s": 20, "lease_s": 20}, "no operation keeps its worker", True),
        ({"heartbeat_interval_s": 2, "lease_s": 5}, "if one is late, leases end", False),
        ({"heartbeat_interval_s": 2, "lease_s": 6}, "", False),
        ({"heartbeat_interval_s": 0.5, "service_down_s": 0.5, "lease_s": 5}, "every host counts as down", True),
        ({"heartbeat_interval_s": 15}, "if one is late, every host", False),
        ({"sweep_interval_s": 30}, "never believes that a host is down", True),
        ({"sweep_interval_s": 16}, "if one is late, a conductor", False),
        ({"lease_s": 31}, "before their leases are over", False),
        ({"lease_s": 30}, "", False),
    ],
)
def test_intervals_that_do_not_go_together_are_named(
    conf: cfg.ConfigOpts, tmp_path: pathlib.Path, options: dict[str, float], told: str, is_fatal: bool
) -> None:
    parse(conf, tmp_path, "[operations]\n" + "".join(f"{name} = {value}\n" for name, value in options.items()))
    found = list(config.misfits(conf))
    assert any(each.is_fatal for each in found) is is_fatal
    assert [str(each) for each in found if told and told in str(each)] != [] if told else found == []
    for each in found:
        assert str(each).startswith("[operations] ") and " = " in str(each) and " x " in str(each)
