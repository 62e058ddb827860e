"""The embedded profile's preparation: addresses, clouds.yaml, and who wins over whom."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from oslo_config import cfg

from nova_lite import config, exception
from nova_lite.conf import database, default, embedded, network, operations, service_auth
from nova_lite.embedded import clouds, listen, profile


@pytest.fixture
def whole_conf(tmp_path):
    def make(text: str = "") -> cfg.ConfigOpts:
        conf, path = cfg.ConfigOpts(), tmp_path / "nova-lite.conf"
        path.write_text(f"[DEFAULT]\nstate_path = {tmp_path}/state\n{text}")
        for module in (database, default, embedded, network, operations, service_auth):
            module.register(conf)
        conf(["--config-file", str(path)])
        return conf

    return make


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_loopback_is_always_allowed(make_conf, host):
    listen.check_listen(host, make_conf())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_addresses_need_the_operators_word(make_conf, host):
    with pytest.raises(exception.ConfigInvalid, match=r"allow_remote = true"):
        listen.check_listen(host, make_conf())
    listen.check_listen(host, make_conf(allow_remote=True))


@pytest.mark.parametrize(
    ("options", "host"),
    [
        ({}, "127.0.0.1"),
        ({"listen": "::1"}, "[::1]"),
        ({"listen": "::", "public_host": "cloud.example.com"}, "cloud.example.com"),
    ],
)
def test_urls_name_a_host_that_clients_can_reach(make_conf, options, host):
    assert listen.service_urls(make_conf(**options)) == {
        "identity": f"http://{host}:5000/v3",
        "compute": f"http://{host}:8774/v2.1",
        "image": f"http://{host}:9292",
        "network": f"http://{host}:9696",
        "block-storage": f"http://{host}:8776/v3",
    }


def test_a_wildcard_is_never_advertised(make_conf):
    assert "0.0.0.0" not in str(listen.service_urls(make_conf(listen="0.0.0.0")))


def test_everything_is_known_after_the_first_start(whole_conf, tmp_path):
    conf = whole_conf()
    made = profile.prepare(conf)
    known = json.loads((made.users.parent / "credentials.json").read_text())
    assert conf.transport_url == "kombu+memory:///" and conf.osapi_compute_listen == "127.0.0.1"
    assert conf.service_auth.auth_url == "http://127.0.0.1:5000/v3" and conf.service_auth.password == known["nova"]
    assert made.clouds_yaml == (tmp_path / "state" / "clouds.yaml").resolve()
    entry = yaml.safe_load(made.clouds_yaml.read_text())["clouds"]["nova-lite-admin"]
    assert entry["auth"]["password"] == known["admin"] and entry["auth"]["auth_url"] == made.urls["identity"]
    made.lock.close()
    assert profile.prepare(whole_conf()) == made


def test_the_operators_tool_finds_the_cloud_by_one_file(whole_conf, tmp_path):
    url = "sqlite:////a/$$b.sqlite"
    conf = whole_conf(
        f"[database]\nconnection = {url}\n[operations]\nservice_down_s = 7\nlease_s = 6\nheartbeat_interval_s = 2\n"
    )
    profile.prepare(conf)
    path = tmp_path / "state" / "operator.conf"
    assert path.stat().st_mode & 0o777 == 0o600
    found = cfg.ConfigOpts()
    for module in (database, default, embedded, network, operations, service_auth):
        module.register(found)
    found(["--config-file", str(path)])
    assert found.state_path == conf.state_path and found.network.backend == "neutron"
    assert found.database.connection == conf.database.connection == "sqlite:////a/$b.sqlite"
    assert found.operations.service_down_s == 7 and list(config.misfits(found)) == []
    assert {name for fit in operations.FITS for name in (fit.shorter, fit.longer)} == set(profile.OPERATOR_INTERVALS)
    assert found.embedded.directory == conf.embedded.directory
    names = ("auth_url", "username", "password", "project_name", "region_name")
    assert [found.service_auth[name] for name in names] == [conf.service_auth[name] for name in names]


def test_nothing_private_is_readable_by_others(whole_conf, tmp_path):
    profile.prepare(whole_conf())
    for path in (tmp_path / "state" / "embedded").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert (tmp_path / "state" / "clouds.yaml").stat().st_mode & 0o777 == 0o600


def test_what_the_operator_wrote_stays(whole_conf):
    conf = whole_conf(
        "transport_url = rabbit://broker\nosapi_compute_listen = 0.0.0.0\n"
        "[service_auth]\nauth_url = http://keystone/v3\nusername = me\npassword = mine\nregion_name = North\n"
    )
    profile.prepare(conf)
    auth = conf.service_auth
    assert (auth.auth_url, auth.username, auth.password, auth.region_name) == (
        "http://keystone/v3",
        "me",
        "mine",
        "North",
    )
    assert conf.transport_url == "rabbit://broker" and conf.osapi_compute_listen == "0.0.0.0"


def test_a_password_changed_in_the_users_file_is_not_written_over(whole_conf):
    made = profile.prepare(whole_conf())
    users = json.loads(made.users.read_text())
    for user in users["users"]:
        if user["name"] == "demo":
            del user["password_hash"]
            user["password"] = "chosen"
    made.users.write_text(json.dumps(users))
    made.clouds_yaml.write_text(made.clouds_yaml.read_text().replace("nova-lite:", "nova-lite: # mine", 1))
    mine = yaml.safe_load(made.clouds_yaml.read_text())
    mine["clouds"]["nova-lite"]["auth"]["password"] = "chosen"
    made.clouds_yaml.write_text(yaml.safe_dump(mine))
    made.lock.close()
    profile.prepare(whole_conf())
    assert yaml.safe_load(made.clouds_yaml.read_text()) == mine


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"http_proxy": "http://proxy"}, "127.0.0.1"),
        ({"HTTP_PROXY": "http://proxy", "NO_PROXY": "a.example, b.example"}, "a.example,b.example,127.0.0.1"),
        ({"all_proxy": "socks5://proxy", "no_proxy": "127.0.0.1"}, "127.0.0.1"),
        ({"http_proxy": "http://proxy", "no_proxy": "*"}, "*"),
    ],
)
def test_a_proxy_does_not_stand_between_the_services(whole_conf, monkeypatch, environment, expected):
    for name in ("http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    profile.prepare(whole_conf())
    assert os.environ.get("no_proxy") == expected


def test_a_remote_address_is_refused_before_anything_is_made(whole_conf, tmp_path):
    with pytest.raises(exception.ConfigInvalid):
        profile.prepare(whole_conf("[embedded]\nlisten = 0.0.0.0\n"))
    assert not (tmp_path / "state").exists()


def test_a_state_path_that_is_a_file_is_named(whole_conf, tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(exception.ConfigInvalid, match="state_path"):
        profile.prepare(whole_conf())


def test_other_clouds_stay(tmp_path):
    path = tmp_path / "deep" / "clouds.yaml"
    assert clouds.write_clouds_yaml(path, {"one": {"auth": {}}}) == path
    path.write_text("cache:\n  expiration_time: 3\nclouds:\n  mine: {profile: x}\n  one: {old: true}\n")
    clouds.write_clouds_yaml(path, {"one": {"auth": {}}})
    assert yaml.safe_load(path.read_text()) == {
        "cache": {"expiration_time": 3},
        "clouds": {"mine": {"profile": "x"}, "one": {"auth": {}}},
    }


def test_an_unchanged_file_keeps_its_comments(tmp_path):
    path = tmp_path / "clouds.yaml"
    path.write_text("# a comment\nclouds:\n  one: {auth: {}}\n")
    path.chmod(0o644)
    clouds.write_clouds_yaml(path, {"one": {"auth": {}}})
    assert path.read_text().startswith("# a comment") and path.stat().st_mode & 0o777 == 0o600


def test_a_link_is_followed_not_replaced(tmp_path):
    real, link = tmp_path / "real.yaml", tmp_path / "clouds.yaml"
    link.symlink_to(real)
    clouds.write_clouds_yaml(link, {"one": {}})
    assert link.is_symlink() and "one" in real.read_text()


@pytest.mark.parametrize("text", ["[1]", "clouds: [1]", "{", "\x00"])
def test_what_is_no_clouds_yaml_is_left_alone(tmp_path, text):
    path = tmp_path / "clouds.yaml"
    path.write_text(text)
    with pytest.raises(exception.ConfigInvalid, match="clouds_yaml"):
        clouds.write_clouds_yaml(path, {"one": {}})
    assert path.read_text() == text


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert clouds.write_clouds_yaml("~/clouds.yaml", {"one": {}}) == Path(tmp_path).resolve() / "clouds.yaml"


def test_a_state_in_use_is_refused(whole_conf, monkeypatch):
    monkeypatch.setattr(profile.rpc, "set_default_transport", lambda *args: None)
    conf = whole_conf()
    first = profile.prepare(conf)
    with pytest.raises(exception.ConfigInvalid, match=f"in use by process {os.getpid()}"):
        profile.prepare(conf)
    first.lock.close()
    profile.prepare(conf).lock.close()
