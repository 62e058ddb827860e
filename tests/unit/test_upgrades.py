"""Who may start beside the daemons that live, and in which version a topic is spoken to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from oslo_config import cfg

from nova_lite import exception, upgrades, versions
from nova_lite.conf import upgrade_levels
from nova_lite.db.api import services
from nova_lite.versions import ServiceVersion
from tests.harness.database import fresh_database

DOWN_S = 60.0


def _rpc(compute: str) -> dict[str, str]:
    return {"compute": compute, "conductor": "1.0", "scheduler": "1.0"}


@pytest.fixture(autouse=True)
def history(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This code is of version 4 and works with 3."""
    rows = [ServiceVersion(number, max(1, number - 1), _rpc(f"1.{number}"), "") for number in range(1, 5)]
    monkeypatch.setattr(versions, "HISTORY", tuple(rows))
    monkeypatch.setattr(versions, "CURRENT", rows[-1])
    with fresh_database():
        yield


@pytest.fixture
def conf() -> cfg.ConfigOpts:
    made = cfg.ConfigOpts()
    upgrade_levels.register(made)
    made([], default_config_files=[], default_config_dirs=[])
    return made


def _daemon(host: str, version: int, works_with: int, binary: str = "nova-lite-compute") -> str:
    topic = binary.removeprefix("nova-lite-")
    return services.register(host, binary, topic, "e", version=version, works_with=works_with).uuid


def test_one_version_apart_is_no_hindrance() -> None:
    for host, version in (("old", 3), ("same", 4), ("new", 5)):
        _daemon(host, version, version - 1)
    upgrades.check(DOWN_S)


@pytest.mark.parametrize(("version", "works_with", "whom"), [(2, 1, "that host"), (7, 5, "this host")])
def test_too_far_apart_is_refused_and_says_whom_to_upgrade(version: int, works_with: int, whom: str) -> None:
    uuid = _daemon("far", version, works_with, "nova-lite-conductor")
    with pytest.raises(exception.IncompatibleVersion, match=f"nova-lite-conductor on host far .*upgrade {whom} first"):
        upgrades.check(DOWN_S)
    services.set_forced_down(uuid, True)
    upgrades.check(DOWN_S)  # an operator says that it is gone


def test_who_is_down_hinders_nobody_and_is_refused_when_he_comes_back() -> None:
    _daemon("far", 2, 1)
    upgrades.check(-1.0)
    with pytest.raises(exception.IncompatibleVersion):
        upgrades.admit(services.get_by_host("far", "nova-lite-compute"))
    assert services.heartbeat("far", "nova-lite-compute", "e") == 0, "he may not go on as if nothing had happened"


def test_the_oldest_is_spoken_to_in_his_own_version(conf: cfg.ConfigOpts) -> None:
    pins = upgrades.Pins(conf)
    assert pins("compute") is None, "nobody is there yet"
    old = _daemon("old", 3, 2)
    _daemon("new", 4, 3)
    assert pins("compute") == "1.3"
    services.set_forced_down(old, True)
    assert pins("compute") == "1.3", "asked anew only now and then"
    pins.forget()
    assert pins("compute") == "1.4"
    assert pins("scheduler") is None


def test_an_operator_may_say_the_version(conf: cfg.ConfigOpts) -> None:
    _daemon("old", 3, 2)
    conf.set_override("compute", "1.1", group="upgrade_levels")
    assert upgrades.Pins(conf)("compute") == "1.1"
    with pytest.raises(ValueError, match="doesn't match regex"):
        conf.set_override("compute", "newest", group="upgrade_levels")


def test_without_a_database_the_last_word_holds(conf: cfg.ConfigOpts, monkeypatch: pytest.MonkeyPatch) -> None:
    _daemon("old", 3, 2)
    pins = upgrades.Pins(conf)
    assert pins("compute") == "1.3"

    def gone(binary: str) -> None:
        raise exception.DatabaseUnavailable

    monkeypatch.setattr(services, "list", gone)
    monkeypatch.setattr(upgrades, "PIN_AGE_S", -1.0)
    assert pins("compute") == "1.3"
    assert pins("conductor") is None
