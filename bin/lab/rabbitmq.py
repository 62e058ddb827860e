"""A private RabbitMQ: own node name, cookie, epmd, ports and directories."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import shutil
import subprocess
import urllib.request
from typing import Any

from lab import process
from lab.layout import Layout

BIN = pathlib.Path("/usr/lib/rabbitmq/bin")
USER = "nova-lite"


def _environment(lab: Layout) -> dict[str, str]:
    base = lab.directory("rabbitmq")
    return {
        "HOME": str(base),
        "ERL_EPMD_PORT": str(lab.ports["epmd"]),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"nova-lite-lab-{lab.ports['amqp']}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(lab.ports["amqp"]),
        "RABBITMQ_DIST_PORT": str(lab.ports["erlang"]),
        "RABBITMQ_CONF_ENV_FILE": str(base / "rabbitmq-env.conf"),
        "RABBITMQ_CONFIG_FILE": str(base / "rabbitmq.conf"),
        "RABBITMQ_MNESIA_BASE": str(base / "mnesia"),
        "RABBITMQ_LOG_BASE": str(base / "log"),
        "RABBITMQ_SCHEMA_DIR": str(base / "schema"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(base / "config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(base / "enabled_plugins"),
        "RABBITMQ_PID_FILE": str(base / "erlang.pid"),
        # Busy-waiting schedulers would eat the cores that the daemons need.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
    }


def _write(lab: Layout) -> None:
    base = lab.directory("rabbitmq")
    (base / "rabbitmq-env.conf").write_text("")
    (base / "rabbitmq.conf").write_text(
        f"listeners.tcp.default = 127.0.0.1:{lab.ports['amqp']}\n"
        f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {lab.ports['management']}\n"
        f"default_user = {USER}\ndefault_pass = {lab.secrets['rabbitmq']}\n"
        "default_user_tags.administrator = true\n"
        "collect_statistics_interval = 1000\ndisk_free_limit.absolute = 50MB\nlog.file.level = info\n"
    )
    (base / "enabled_plugins").write_text("[rabbitmq_management].\n")
    cookie = base / ".erlang.cookie"
    if not cookie.exists():
        cookie.touch(mode=0o600)
        cookie.write_text(lab.secrets["cookie"])
        cookie.chmod(0o400)


def server(lab: Layout) -> process.Process:
    argv = [str(BIN / "rabbitmq-server")]
    return process.Process("rabbitmq", lab.directory("rabbitmq"), argv, _environment(lab), port=lab.ports["amqp"])


def epmd(lab: Layout) -> process.Process:
    return process.Process("epmd", lab.directory("rabbitmq"), [shutil.which("epmd") or "epmd"], _environment(lab))


def start(lab: Layout) -> None:
    """Start epmd and the broker; returns once it takes AMQP connections and its counters answer."""
    _write(lab)
    epmd(lab).start()
    broker = server(lab)
    broker.start()
    broker.wait(lambda: process.answers(lab.ports["amqp"]) and process.answers(lab.ports["management"]), 90)


def stop(lab: Layout) -> list[str]:
    """Stop both; names of what was alive. rabbitmq-server hands the signal to its Erlang machine."""
    return [one.name for one in (server(lab), epmd(lab)) if one.stop()]


def url(lab: Layout) -> str:
    """For [DEFAULT] transport_url."""
    return f"rabbit://{USER}:{lab.secrets['rabbitmq']}@127.0.0.1:{lab.ports['amqp']}/"


def management(lab: Layout, path: str) -> Any:
    """What the management plugin answers to GET /api/<path>."""
    login = base64.b64encode(f"{USER}:{lab.secrets['rabbitmq']}".encode()).decode()
    request = urllib.request.Request(lab.url("management", f"/api/{path}"), headers={"Authorization": f"Basic {login}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def queues(lab: Layout) -> list[dict[str, Any]]:
    """Every queue with its consumers, after one asked the broker itself (the plugin's counters lag by a second)."""
    listed = control(lab, "-q", "list_queues", "--formatter=json", "name", "consumers", "messages")
    return list(json.loads(listed or "[]"))


def control(lab: Layout, *arguments: str) -> str:
    """rabbitmqctl against this node."""
    command = [str(BIN / "rabbitmqctl"), *arguments]
    done = subprocess.run(command, env={**os.environ, **_environment(lab)}, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise process.LabError(f"rabbitmqctl {' '.join(arguments)}: {done.stderr or done.stdout}")
    return done.stdout
