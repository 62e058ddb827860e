from __future__ import annotations

import gc

import pytest
from oslo_config import cfg

from nova_lite import conf as nova_conf
from nova_lite import exception, service
from nova_lite.cmd import startup


def test_what_the_operator_can_mend_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        raise exception.ConfigInvalid(detail="[wsgi] ssl_cert_file: no such file")

    assert startup.explained("nova-lite-api", work) == 1
    assert capsys.readouterr().err == "nova-lite-api: [wsgi] ssl_cert_file: no such file\n"


def test_a_database_that_is_away_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        raise exception.DatabaseUnavailable from OSError("connection refused\nand more")

    assert startup.explained("nova-lite-api", work) == 1
    assert capsys.readouterr().err == "nova-lite-api: The database is not available. connection refused\n"


def test_a_log_that_cannot_be_written_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def setup(*args: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "/nope/x.log")

    monkeypatch.setattr(startup.config, "parse_args", lambda *args: None)
    monkeypatch.setattr(startup.log, "setup", setup)
    with pytest.raises(SystemExit, match="the log cannot be written: .*/nope/x.log"):
        startup.begin("nova-lite-api", [])


@pytest.mark.parametrize(("heartbeat_s", "starts"), [(3.0, True), (8.0, True), (20.0, False)])
def test_options_that_exclude_each_other_end_it_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, heartbeat_s: float, starts: bool
) -> None:
    conf = cfg.ConfigOpts()
    nova_conf.register_all(conf)
    conf([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    conf.set_override("heartbeat_interval_s", heartbeat_s, group="operations")
    monkeypatch.setattr(startup.config, "parse_args", lambda *args: conf)
    monkeypatch.setattr(startup.log, "setup", lambda *args: None)
    if starts:
        assert startup.begin("nova-lite-compute", []) is conf
        return
    with pytest.raises(SystemExit, match="^nova-lite-compute: .operations. heartbeat_interval_s = 20.0 .*lease_s = 20"):
        startup.begin("nova-lite-compute", [])


def test_bugs_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        startup.explained("nova-lite-api", lambda: 1 // 0)
    assert startup.explained("nova-lite-api", lambda: 7) == 7


def test_the_database_gate_refuses_a_wrong_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    from nova_lite import upgrades
    from nova_lite.db import migration

    def check(*_: object) -> None:
        raise exception.ConfigInvalid(detail="run db sync")

    nova_conf.register_all(nova_conf.CONF)
    monkeypatch.setattr(upgrades, "check", lambda down_s: None)
    monkeypatch.setattr(migration, "check", check)
    with pytest.raises(exception.ConfigInvalid):
        startup.database_gate().start()
    monkeypatch.setattr(migration, "check", lambda: None)
    startup.database_gate().start()
    monkeypatch.setattr(upgrades, "check", check)
    with pytest.raises(exception.ConfigInvalid):
        startup.database_gate().start()


def test_the_gate_of_an_api_gives_up_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    from nova_lite.db import migration

    def check() -> None:
        raise exception.DatabaseUnavailable

    monkeypatch.setattr(service, "RETRY_FIRST_S", 0.001)
    monkeypatch.setattr(migration, "check", check)
    startup.database_gate(limit_s=0.02).start()


def test_what_stays_is_not_looked_through_again() -> None:
    there: list[list[int]] = [[]]
    try:
        startup.settle()
        assert gc.get_freeze_count() > 0
        assert not any(each is there for each in gc.get_objects())
    finally:
        gc.unfreeze()
