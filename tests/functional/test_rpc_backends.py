"""RPC keeps its promises on green and on native threads; each backend in an interpreter of its own."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from tests.harness import daemon

pytestmark = pytest.mark.processes

PROGRAM = """
import resource, sys, time
from nova_lite import concurrency
concurrency.patch()
from nova_lite import config, exception, log, rpc
from nova_lite.context import RequestContext

conf = config.parse_args([], "rpc-test")
log.setup(conf, "rpc-test")
rpc.init(conf, sys.argv[1])

class Endpoint:
    def __init__(self):
        self.noted, self.all = [], concurrency.Event()
    def echo(self, ctxt, value):
        return value
    def slow(self, ctxt, seconds):
        concurrency.sleep(seconds)
        return "finished"
    def refuse(self, ctxt):
        raise exception.InstanceIsLocked(instance_uuid="u")
    def note(self, ctxt, n):
        self.noted.append(n)
        if len(self.noted) == 200:
            self.all.set()

def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

ctxt, endpoint = RequestContext(overwrite=False), Endpoint()
servers = [rpc.get_server(topic, "h", [endpoint]) for topic in ("one", "two", "three", "four")]
for server in servers:
    server.start()
client = rpc.get_client("one")
assert client.call(ctxt, "echo", value=(1, {"a": 2})) == (1, {"a": 2})
try:
    client.call(ctxt, "refuse")
except exception.InstanceIsLocked:
    pass
calls = [concurrency.spawn(client.call, ctxt, "slow", seconds=0.5) for _ in range(8)]
begin = time.monotonic()
assert [call.wait(20) for call in calls] == ["finished"] * 8
assert time.monotonic() - begin < 3, "calls are handled side by side"
for n in range(200):
    client.cast(ctxt, "note", n=n)
assert endpoint.all.wait(20)
assert sorted(endpoint.noted) == list(range(200))
assert servers[0].answers()
before = cpu()
concurrency.sleep(2)
idle = (cpu() - before) / 2
assert idle < 0.1, f"idle servers use {idle:.0%} of a core"
# a call in flight is answered although the server stops
last = concurrency.spawn(client.call, ctxt, "slow", seconds=1)
concurrency.sleep(0.3)
begin = time.monotonic()
stopping = [concurrency.spawn(lambda each=server: (each.stop(), each.wait())) for server in servers]
for each in stopping:
    each.wait(20)
assert last.wait(5) == "finished"
assert time.monotonic() - begin < 3
begin = time.monotonic()
rpc.cleanup()
assert time.monotonic() - begin < 1.5
print("passed")
"""


@pytest.mark.parametrize("backend", ["eventlet", "threading"])
def test_rpc_in_memory(backend: str) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    env |= {"NOVA_LITE_CONCURRENCY_BACKEND": backend, "PYTHONPATH": str(daemon.TOP)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "kombu+memory:///"], env=env, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == "passed"


# In a server of somebody else's, before and after a fork.
FOREIGN = """
import os, sys, threading, urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server
sys.argv = ["gunicorn", "-w", "1", "nova_lite.cmd.wsgi:application"]
from nova_lite.cmd.wsgi import application
def ask():
    server = make_server("127.0.0.1", 0, application)
    threading.Thread(target=server.handle_request).start()
    url = f"http://127.0.0.1:{server.server_port}/v2.1/servers"
    asked = urllib.request.Request(url, headers={"X-Auth-Token": "u:p"})
    return urllib.request.urlopen(asked, timeout=20).read()
assert ask() == b'{"servers":[]}'
child = os.fork()
if child == 0:
    os._exit(0 if ask() == b'{"servers":[]}' else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert "eventlet" not in {name for name, module in sys.modules.items() if module is not None}
print("passed", flush=True)
os._exit(0)
"""


def _foreign(state: pathlib.Path, auth_strategy: str) -> dict[str, str]:
    """The environment of a foreign server whose configuration has that strategy."""
    conf = state / "nova-lite.conf"
    conf.write_text(
        f"[DEFAULT]\nstate_path = {state}\ntransport_url = rabbit://n:s@127.0.0.1:1/\n"
        f"[api]\nauth_strategy = {auth_strategy}\n[database]\nconnection = sqlite:///{state}/x.sqlite\n"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    return env | {"NOVA_LITE_CONFIG_FILE": str(conf), "PYTHONPATH": str(daemon.TOP)}


def test_the_api_in_a_foreign_server_says_what_it_cannot_work_without(tmp_path: pathlib.Path) -> None:
    env = _foreign(tmp_path, "keystone")
    ask = "from nova_lite.cmd.wsgi import application; application({}, None)"
    done = subprocess.run([sys.executable, "-c", ask], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "[service_auth] auth_url is not set: tokens cannot be checked" in done.stderr


def test_the_api_in_a_foreign_server(tmp_path: pathlib.Path) -> None:
    env = _foreign(tmp_path, "noauth2")
    sync = "import sys; from nova_lite.cmd.manage import main; sys.exit(main())"
    asked = [sys.executable, "-c", sync, "--config-file", env["NOVA_LITE_CONFIG_FILE"], "db", "sync"]
    subprocess.run(asked, env=env, check=True, timeout=60)
    done = subprocess.run([sys.executable, "-c", FOREIGN], env=env, capture_output=True, text=True, timeout=60)
    assert "passed" in done.stdout, done.stdout + done.stderr
