"""The daemons as an operator meets them: real processes, signals, exit codes, systemd's socket."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest
import yaml

from nova_lite.cmd.all_in_one import PORTS
from nova_lite.cmd.manage import program
from tests.harness import daemon, processor
from tests.harness.daemon import Daemon

pytestmark = pytest.mark.processes

BACKENDS = ["eventlet", "threading"]
# Nobody listens here.
NO_BROKER = "rabbit://nobody:secret@127.0.0.1:1/"


def write_conf(folder: pathlib.Path, text: str = "", **default: object) -> str:
    lines = {"state_path": folder / "state", "host": "test-host", "osapi_compute_listen": "127.0.0.1",
             "transport_url": NO_BROKER, **default}  # fmt: skip
    path = folder / "nova-lite.conf"
    body = "".join(f"{name} = {value}\n" for name, value in lines.items())
    path.write_text(f"[DEFAULT]\n{body}[database]\nconnection = sqlite:///{folder}/nova-lite.sqlite\n{text}")
    return str(path)


def run_manage(conf: str, *words: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from nova_lite.cmd.manage import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, "--config-file", conf, *words], capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(daemon.TOP)},
    )  # fmt: skip


# -- the embedded cloud in one process ------------------------------------------------------------------------------


class AllInOne:
    def __init__(self, folder: pathlib.Path, backend: str) -> None:
        self.folder = folder
        ports = {name: daemon.free_port() for name in PORTS}
        self.port, self.identity = ports["compute"], ports["identity"]
        flags = [word for name, port in ports.items() for word in (f"--{name}-port", str(port))]
        self.daemon = Daemon(folder, backend, "all_in_one", "--fake", "--state-dir", str(folder / "state"), *flags)

    def servers(self) -> bytes:
        """GET /servers with a token, as a client does it. :raises OSError: it does not answer yet."""
        cloud = yaml.safe_load((self.folder / "state" / "clouds.yaml").read_text())["clouds"]["nova-lite"]["auth"]
        domain = {"id": "default"}
        user = {"name": cloud["username"], "domain": domain, "password": cloud["password"]}
        scope = {"project": {"name": cloud["project_name"], "domain": domain}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.identity}/v3/auth/tokens", json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(asked, timeout=5) as answer:
            token = answer.headers["X-Subject-Token"]
        status, body_bytes = daemon.get(self.port, "/v2.1/servers", X_Auth_Token=token)
        assert status == 200
        return body_bytes


@pytest.fixture(params=BACKENDS)
def cloud(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[AllInOne]:
    found = AllInOne(tmp_path, request.param)
    yield found
    found.daemon.close()


def test_all_in_one_is_quick_small_and_ends_at_once(cloud: AllInOne) -> None:
    """The promises are 3 s, 150 MB and 2 s on a quiet machine; what it waited for a processor does not count."""
    daemon.until(lambda: json.loads(cloud.servers()) == {"servers": []}, "GET /servers")
    first_s = time.monotonic() - cloud.daemon.begun - processor.waited_s(cloud.daemon.process.pid)
    rss_mb = cloud.daemon.rss_mb()
    cloud.daemon.wait_ready()
    code, stop_s = cloud.daemon.stop()
    print(f"first GET /servers {first_s:.2f} s, {rss_mb:.0f} MB, stop {stop_s:.2f} s")
    assert code == 0
    assert first_s < 10
    assert rss_mb < 150
    assert stop_s < 3
    assert "STOPPING=1" in cloud.daemon.notified()
    text = cloud.daemon.text()
    assert "openstack server create" in text, "it says what to try next"
    assert "Traceback" not in text
    assert "ERROR" not in text


def test_all_in_one_reloads_reports_and_survives_being_killed(cloud: AllInOne) -> None:
    cloud.daemon.wait_ready()
    audited = run_manage(str(cloud.folder / "state" / "operator.conf"), "audit", "--no-hosts")
    assert (audited.returncode, audited.stdout) == (0, "Nothing found.\nNot asked: compute hosts (--no-hosts)\n")
    cloud.daemon.send(signal.SIGUSR2)
    daemon.until(lambda: "service nova-lite-conductor: serving" in cloud.daemon.text(), "the report")
    cloud.daemon.send(signal.SIGHUP)
    daemon.until(lambda: "RELOADING=1" in cloud.daemon.notified(), "reloading")
    daemon.until(lambda: cloud.daemon.notified().count("READY=1") == 2, "reloaded")
    assert json.loads(cloud.servers()) == {"servers": []}
    cloud.daemon.send(signal.SIGKILL)
    cloud.daemon.process.wait(10)
    again = AllInOne(cloud.folder, "eventlet") if not (cloud.folder / "notify").unlink() else None
    assert again is not None
    try:
        again.daemon.wait_ready()
        assert json.loads(again.servers()) == {"servers": []}
    finally:
        again.daemon.close()


def test_a_taken_port_is_one_sentence(tmp_path: pathlib.Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        others = [f"--{name}-port={daemon.free_port()}" for name in PORTS if name != "identity"]
        flags = ("--fake", "--state-dir", str(tmp_path / "state"), "--identity-port", port, *others)
        with daemon.running(tmp_path, "threading", "all_in_one", *flags) as running:
            assert running.process.wait(30) == 1
            assert f"nova-lite-all-in-one: cannot listen on 127.0.0.1:{port}: Address already in use" in running.text()
            assert "Traceback" not in running.text()


# -- daemons without their neighbours -------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["conductor", "scheduler", "compute"])
def test_daemons_wait_for_the_broker_and_still_end_at_once(tmp_path: pathlib.Path, name: str, backend: str) -> None:
    conf = write_conf(tmp_path, "[compute]\ndriver = fake\n")
    assert run_manage(conf, "db", "sync").returncode == 0
    with daemon.running(tmp_path, backend, name, "--config-file", conf) as running:
        daemon.until(lambda: "Connection failed" in running.text(), "it tries the broker")
        assert "READY=1" not in running.notified()
        code, seconds = running.stop()
        assert code == 0
        assert seconds < 3
        assert "secret" not in running.text()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_database_without_schema_is_one_sentence(tmp_path: pathlib.Path, backend: str) -> None:
    conf = write_conf(tmp_path)
    with daemon.running(tmp_path, backend, "conductor", "--config-file", conf) as running:
        assert running.process.wait(30) == 1
        assert "nova-lite-manage db sync" in running.text()
        assert "Traceback" not in running.text()


@pytest.mark.parametrize(
    ("name", "sql", "sentence"),
    [
        ("conductor", "UPDATE alembic_version SET version_num = '999'", "made by a newer one. Upgrade nova-lite"),
        ("scheduler", "UPDATE alembic_version SET version_num = '001'", "Run: nova-lite-manage db sync"),
        (
            "api",
            "INSERT INTO services (uuid, host, binary, topic, version, works_with, beats, disabled, forced_down, "
            "last_seen_at, created_at) VALUES ('u', 'other', 'nova-lite-conductor', 'conductor', 99, 98, 1, 0, 0, "
            "strftime('%Y-%m-%d %H:%M:%f', 'now'), strftime('%Y-%m-%d %H:%M:%f', 'now'))",
            "nova-lite-conductor on host other is of service version 99 and works with 98 or newer",
        ),
    ],
)
def test_a_daemon_too_old_or_too_new_is_one_sentence_and_exit_code_1(
    tmp_path: pathlib.Path, name: str, sql: str, sentence: str
) -> None:
    conf = write_conf(tmp_path, "[api]\nauth_strategy = noauth2\n", osapi_compute_listen_port=daemon.free_port())
    assert run_manage(conf, "db", "sync").returncode == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "nova-lite.sqlite")) as connection, connection:
        connection.execute(sql)
    with daemon.running(tmp_path, "threading", name, "--config-file", conf) as running:
        assert running.process.wait(30) == 1
        assert sentence in running.text()
        assert "Traceback" not in running.text()


# -- the API --------------------------------------------------------------------------------------------------------


def api_conf(folder: pathlib.Path, port: int, text: str = "", **default: object) -> str:
    conf = write_conf(folder, f"[api]\nauth_strategy = noauth2\n{text}", osapi_compute_listen_port=port, **default)
    assert run_manage(conf, "db", "sync").returncode == 0
    return conf


@pytest.mark.parametrize("backend", BACKENDS)
def test_api_serves_without_a_broker(tmp_path: pathlib.Path, backend: str) -> None:
    port = daemon.free_port()
    with daemon.running(tmp_path, backend, "api", "--config-file", api_conf(tmp_path, port)) as running:
        running.wait_ready()
        assert daemon.get(port, "/v2.1/servers", X_Auth_Token="u:p") == (200, b'{"servers":[]}')
        code, seconds = running.stop()
        assert (code, seconds < 3) == (0, True)


@pytest.mark.parametrize("backend", BACKENDS)
def test_workers_are_replaced_and_end_with_their_parent(tmp_path: pathlib.Path, backend: str) -> None:
    port = daemon.free_port()
    conf = api_conf(tmp_path, port, osapi_compute_workers=2)
    with daemon.running(tmp_path, backend, "api", "--config-file", conf) as running:
        running.wait_ready()
        before = running.children()
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        daemon.until(lambda: len(set(running.children()) - {before[0]}) == 2, "a new worker")
        for _ in range(4):
            assert daemon.get(port, "/v2.1/servers", X_Auth_Token="u:p")[0] == 200
        workers = running.children()
        running.send(signal.SIGKILL)
        running.process.wait(10)
        daemon.until(lambda: not any(map(daemon.lives, workers)), "workers end with their parent")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_worker_that_is_told_to_end_by_itself_leaves_the_door_open(tmp_path: pathlib.Path, backend: str) -> None:
    """All of them share the socket: it let nobody in any more, whoever came in that worker's place."""
    port = daemon.free_port()
    conf = api_conf(tmp_path, port, osapi_compute_workers=2)
    with daemon.running(tmp_path, backend, "api", "--config-file", conf) as running:
        running.wait_ready()
        before = running.children()
        os.kill(before[0], signal.SIGTERM)
        end = time.monotonic() + 3
        while time.monotonic() < end:
            assert daemon.get(port, "/v2.1/servers", X_Auth_Token="u:p")[0] == 200
        daemon.until(lambda: len(set(running.children()) - {before[0]}) == 2, "a new worker")


@pytest.mark.parametrize("backend", BACKENDS)
def test_workers_lose_no_request_when_told_to_end(tmp_path: pathlib.Path, backend: str) -> None:
    port = daemon.free_port()
    conf = api_conf(tmp_path, port, osapi_compute_workers=2)
    answers: list[object] = []
    with daemon.running(tmp_path, backend, "api", "--config-file", conf) as running:
        running.wait_ready()
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                try:
                    answers.append(daemon.get(port, "/v2.1/flavors", X_Auth_Token="u:p")[0])
                except ConnectionRefusedError:
                    return
                except OSError as error:
                    answers.append(error)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        code, seconds = running.stop()
        stop.set()
        for thread in threads:
            thread.join(10)
        assert code == 0
        assert seconds < 4
        assert set(answers) == {200}
        assert "Traceback" not in running.text()


@pytest.mark.parametrize(
    ("paste", "sentence"),
    [
        ("[app:other]\npaste.app_factory = nova_lite.api.pipeline:app_factory\n", "no app 'osapi_compute'"),
        ("this is no ini file\n", "is not a Paste file"),
        ("[app:osapi_compute]\npaste.app_factory = nova_lite.nothing:here\n", "cannot be loaded"),
    ],
)
def test_a_broken_paste_file_is_one_sentence_and_exit_code_1(tmp_path: pathlib.Path, paste: str, sentence: str) -> None:
    (tmp_path / "paste.ini").write_text(paste)
    conf = api_conf(tmp_path, daemon.free_port(), f"paste_config = {tmp_path}/paste.ini\n")
    with daemon.running(tmp_path, "threading", "api", "--config-file", conf) as running:
        assert running.process.wait(30) == 1
        assert sentence in running.text()
        assert "nova-lite-api cannot start" in running.text()
        assert "Traceback" not in running.text()


def test_one_api_that_cannot_start_is_skipped(tmp_path: pathlib.Path) -> None:
    port = daemon.free_port()
    conf = api_conf(tmp_path, port, enabled_apis="metadata,osapi_compute")
    with daemon.running(tmp_path, "threading", "api", "--config-file", conf) as running:
        running.wait_ready()
        assert "metadata is not started" in running.text()
        assert daemon.get(port)[0] in (200, 300)


# -- nova-lite-manage -----------------------------------------------------------------------------------------------


def test_manage_verbs_of_deploy_scripts_succeed(tmp_path: pathlib.Path) -> None:
    conf = write_conf(tmp_path)
    for words in (
        "api_db sync", "cell_v2 map_cell0 --database_connection x", "cell_v2 simple_cell_setup --transport-url x",
        "db sync", "cell_v2 create_cell --name cell1 --verbose", "cell_v2 discover_hosts --verbose --by-service",
        "cell_v2 list_cells --verbose", "placement heal_allocations",
    ):  # fmt: skip
        done = run_manage(conf, *words.split())
        assert done.returncode == 0, f"{words}: {done.stderr}"
        assert done.stdout


def test_manage_answers_in_json(tmp_path: pathlib.Path) -> None:
    conf = write_conf(tmp_path)
    assert json.loads(run_manage(conf, "db", "version", "--json").stdout)["version"] is None
    revision = json.loads(run_manage(conf, "--json", "db", "sync").stdout)["version"]
    assert json.loads(run_manage(conf, "db", "version", "--json").stdout) == {"version": revision, "head": revision}
    assert json.loads(run_manage(conf, "service", "list", "--json").stdout) == []


def test_manage_config_check_finds_what_will_not_work(tmp_path: pathlib.Path) -> None:
    auth = "[service_auth]\nauth_url = http://127.0.0.1:1/v3\npassword = x\n"
    good = run_manage(write_conf(tmp_path, auth), "config", "check")
    assert (good.returncode, "No problem" in good.stdout) == (0, True), good.stdout + good.stderr
    bad = write_conf(
        tmp_path, "max_pool_sise = 5\n[api]\npaste_config = /nonexistent.ini\n"
        "[operations]\nheartbeat_interval_s = 30\nlease_s = 0.5\n", enabled_ssl_apis="osapi_compute", hosst="x",
    )  # fmt: skip
    done = run_manage(bad, "config", "check", "--json")
    assert done.returncode == 1
    problems = "\n".join(json.loads(done.stdout)["problems"])
    for part in ("[service_auth] auth_url is not set", "did you mean [DEFAULT] host?", "[database] max_pool_size",
                 "/nonexistent.ini", "ssl_cert_file",
                 "[operations] heartbeat_interval_s = 30.0 does not go with lease_s = 0.5"):  # fmt: skip
        assert part in problems


def test_manage_explains_instead_of_tracing(tmp_path: pathlib.Path) -> None:
    done = run_manage(str(tmp_path / "missing.conf"), "db", "version")
    assert done.returncode == 1
    assert "missing.conf" in done.stderr
    assert "Traceback" not in done.stderr
    assert run_manage(write_conf(tmp_path), "db", "destroy").returncode == 2


def test_every_verb_of_manage_has_help() -> None:
    assert program.parser().format_help()
