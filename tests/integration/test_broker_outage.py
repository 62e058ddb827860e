"""A broker that goes away and comes back: casts never wait, calls fail soon, everything mends itself."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lab import layout, rabbitmq
from lab.layout import Layout

TOP = pathlib.Path(__file__).resolve().parents[2]

# Both ends of a conversation; a line from us lets it go on.
PROGRAM = """
import sys, time
from nova_lite import concurrency
concurrency.patch()
from nova_lite import config, exception, log, rpc
from nova_lite.context import RequestContext
conf = config.parse_args([], "outage")
log.setup(conf, "outage")
rpc.init(conf, sys.argv[1])
class Endpoint:
    def echo(self, ctxt, value):
        return value
server = rpc.get_server("outage", "h", [Endpoint()])
server.start()
client, ctxt = rpc.get_client("outage"), RequestContext(overwrite=False)
def go_on(word):
    print(word, flush=True)
    concurrency.run_blocking(sys.__stdin__.buffer.raw.read, 1)
assert client.call(ctxt, "echo", value=1) == 1
go_on("talking")
begin = time.monotonic()
for n in range(1000):
    client.cast(ctxt, "echo", value=n)
assert time.monotonic() - begin < 5, "a cast waited for the broker"
for _ in range(2):
    begin = time.monotonic()
    try:
        client.call(ctxt, "echo", value=2, timeout_s=5)
        raise SystemExit("answered without a broker")
    except (exception.BrokerUnavailable, exception.CallTimeout):
        pass
    assert time.monotonic() - begin < 9
assert server.answers(), "no watchdog may restart us for this"
go_on("silent")
begin = time.monotonic()
while True:
    try:
        assert client.call(ctxt, "echo", value=3, timeout_s=1) == 3
        break
    except exception.Unavailable:
        concurrency.sleep(0.1)
mended_s = time.monotonic() - begin
assert rpc.flush(60), "the outbox is not empty"  # 200 casts a second where processors are scarce
begin = time.monotonic()
server.stop()
server.wait()
rpc.cleanup()
print(f"mended {mended_s:.1f} stopped {time.monotonic() - begin:.1f}", flush=True)
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    if not shutil.which("rabbitmq-server"):
        pytest.skip("rabbitmq-server is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOVA_LITE_LAB_DIR", str(tmp_path_factory.mktemp("lab")))
        own = layout.load()
        rabbitmq.start(own)
        yield own
        rabbitmq.stop(own)


@pytest.mark.parametrize("backend", ["eventlet", "threading"])
def test_the_conversation_survives_a_restart_of_the_broker(broker: Layout, backend: str) -> None:
    env = {**os.environ, "NOVA_LITE_CONCURRENCY_BACKEND": backend, "PYTHONPATH": str(TOP)}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, rabbitmq.url(broker)],
        env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as talker:  # fmt: skip
        assert talker.stdin and talker.stdout and talker.stderr
        try:
            assert talker.stdout.readline() == "talking\n"
            rabbitmq.server(broker).stop()
            talker.stdin.write("\n")
            talker.stdin.flush()
            assert talker.stdout.readline() == "silent\n"
            rabbitmq.start(broker)
            talker.stdin.write("\n")
            talker.stdin.flush()
            words = talker.stdout.readline().split()
        finally:
            rabbitmq.start(broker)
            talker.kill()
        assert words[:1] == ["mended"], talker.stderr.read()[-3000:]
        assert float(words[1]) < 20
        assert float(words[3]) < 5
