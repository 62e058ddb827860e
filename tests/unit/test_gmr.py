from __future__ import annotations

import datetime
import pathlib

import pytest
from oslo_config import cfg

from nova_lite import gmr


@pytest.fixture(autouse=True)
def own_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gmr, "_sections", [])


def test_report_has_threads_and_our_sections_without_secrets() -> None:
    gmr.register_section("Ours", lambda: "url = rabbit://u:hunter2@h/")
    gmr.register_section("Broken", lambda: str(1 / 0))
    text = gmr.report()
    assert "Threads" in text
    assert "Ours" in text
    assert "hunter2" not in text
    assert "not available: division by zero" in text


def test_report_goes_to_the_configured_directory(tmp_path: pathlib.Path) -> None:
    from oslo_reports import opts

    conf = cfg.ConfigOpts()
    opts.set_defaults(conf)
    conf([], default_config_files=[], default_config_dirs=[])
    conf.set_override("log_dir", str(tmp_path), group="oslo_reports")
    gmr.write(conf, "nova-lite-api")
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("nova-lite-api_gurumeditation_")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_report_that_cannot_be_written_is_survived(tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    from oslo_reports import opts

    conf = cfg.ConfigOpts()
    opts.set_defaults(conf)
    conf([], default_config_files=[], default_config_dirs=[])
    conf.set_override("log_dir", str(tmp_path / "missing"), group="oslo_reports")
    gmr.write(conf, "nova-lite-api")
    assert "no guru meditation report" in caplog.text


def test_uptime_section_lists_facts() -> None:
    text = gmr.uptime_section(datetime.datetime(2026, 1, 2, 3, 4, 5), lambda: {"ready": True})()
    assert text == "running since 2026-01-02T03:04:05Z\nready: True"
