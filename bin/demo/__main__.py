"""nova-lite-demo up | down | status."""

from __future__ import annotations

import argparse
import os
import sys

from demo import cloud, hypervisor
from demo.place import PREFERRED_PORTS, STATE, TOP, Progress, alone, ports
from lab import process

NEXT = """
A cloud of one machine is running. What to try next:

    source .venv/bin/activate
    export OS_CLIENT_CONFIG_FILE={clouds} OS_CLOUD=nova-lite
    openstack server list
    openstack console log show {server}
    openstack server reboot --hard {server}
    openstack server create --image {image} --flavor {flavor} --wait second
    OS_CLOUD=nova-lite-admin openstack hypervisor list

    tail -f {log}
    make stop         # ends everything; `make run` brings it back
"""


def up(force_fake: bool) -> int:
    """Start what does not run yet; 0 once the first server shows its login prompt."""
    progress = Progress()
    with alone(progress):
        return _up(progress, force_fake)


def _up(progress: Progress, force_fake: bool) -> int:
    running = cloud.daemon().alive()
    reason = "asked for by --fake" if force_fake else hypervisor.why_not()
    uri = ""
    if reason:
        progress.say(f"FAKE DRIVER: servers will exist in name only ({reason})")
    else:
        with progress.step("starting a libvirtd of our own"):
            try:
                uri = hypervisor.start()
            except process.LabError as error:
                progress.say(f"FAKE DRIVER: servers will exist in name only (libvirtd does not start: {error})")
    chosen = ports(reuse=running)
    if running and not cloud.configured(chosen, uri):
        progress.say("nova-lite-all-in-one runs with the other driver: starting it anew")
        running = not cloud.daemon().stop(30)
    if running:
        progress.say("nova-lite-all-in-one runs already")
        cloud.start(chosen)
    else:
        for name, port in PREFERRED_PORTS.items():
            if chosen[name] != port:
                progress.say(f"port {port} is taken: {name} is on {chosen[name]}")
        if cloud.had_other_driver(uri):
            progress.say("the cloud that is kept here had the other driver: its host is let in anew")
            cloud.let_in_anew()
        cloud.configure(chosen, uri)
        with progress.step("starting nova-lite-all-in-one: all APIs and daemons in one process"):
            cloud.start(chosen)
    image = cloud.build_guest(progress, bool(uri))
    with cloud.connect() as connection:
        former = cloud.provide(progress, connection, image)
        prompt = cloud.follow_console(progress, connection, former)
    if not prompt and uri:
        progress.say("no login prompt came: see the log below")
        print(cloud.daemon().tail(20))
        return 1
    progress.say("login prompt reached" if uri else "done, with the fake driver: no machine really boots")
    state = os.path.relpath(STATE, TOP) if STATE.is_relative_to(TOP) else str(STATE)
    print(NEXT.format(
        clouds=STATE / "clouds.yaml", server=cloud.SERVER, image=cloud.IMAGE if uri else f"{cloud.IMAGE}-raw",
        flavor=cloud.FLAVOR, log=f"{state}/{cloud.daemon().log.name}",
    ))  # fmt: skip
    return 0


def down() -> int:
    stopped = ["nova-lite-all-in-one"] if cloud.daemon().stop(30) else []
    stopped += ["libvirtd and its guests"] if hypervisor.stop() else []
    print(f"stopped: {', '.join(stopped) or 'nothing ran'}")
    return 0


def status() -> int:
    pid = cloud.daemon().pid()
    print(f"nova-lite-all-in-one: {f'pid {pid}' if pid else 'down'}")
    return 0 if pid else 3


def main() -> int:
    parser = argparse.ArgumentParser("nova-lite-demo", description="The embedded cloud and its first server.")
    parser.add_argument("verb", choices=("up", "down", "status"))
    parser.add_argument("--fake", action="store_true", help="use the fake driver even where QEMU is installed")
    options = parser.parse_args()
    try:
        return {"up": lambda: up(options.fake), "down": down, "status": status}[options.verb]()
    except process.LabError as error:
        print(f"nova-lite-demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nnova-lite-demo: interrupted; `make run` goes on, `make stop` ends what runs", file=sys.stderr)
        return 130


sys.exit(main())
