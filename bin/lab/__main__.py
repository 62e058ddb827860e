"""nova-lite-lab: up, status, down, logs, env; start and kill of one daemon."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent import futures
from functools import partial

from lab import daemons, databases, hypervisor, layout, neighbours, process, rabbitmq
from lab.layout import Layout

DESCRIPTION = """A cloud of separate processes on this machine: RabbitMQ, MariaDB or PostgreSQL, a real Keystone, a real
Glance, libvirt, and nova-lite's daemons. All of it lies under .lab/ and listens on loopback ports of its own."""


def _step(begun: float, what: str, work: Callable[[], object]) -> None:
    before = time.monotonic()
    work()
    print(f"[{time.monotonic() - begun:5.1f}s] {what} ({time.monotonic() - before:.1f} s)", flush=True)


def _chain(begun: float, steps: list[tuple[str, Callable[[], object]]]) -> None:
    """Steps of which each needs the one before it."""
    for what, work in steps:
        _step(begun, what, work)


def up(lab: Layout, options: argparse.Namespace) -> int:
    """Start whatever does not run; another fleet than the running one replaces only the daemons."""
    fleet = daemons.Fleet(
        options.database, options.driver, options.hosts, options.conductors, options.schedulers, options.api_workers,
        options.concurrency, tuple(options.set),
    )  # fmt: skip
    begun = time.monotonic()
    lab = layout.without_strangers(lab, _held(lab))
    chains: list[list[tuple[str, Callable[[], object]]]] = [
        [("RabbitMQ", partial(rabbitmq.start, lab))],
        [(fleet.database, databases.MAKERS[fleet.database](lab).start)],
        [
            ("Keystone", partial(neighbours.start_keystone, lab)),
            ("users, services, endpoints", partial(neighbours.register, lab)),
            ("Glance", partial(neighbours.start_glance, lab)),
        ],
    ]
    if fleet.driver == "libvirt":
        hosts = range(1, fleet.hosts + 1)
        chains += [[(f"libvirtd {n}", partial(hypervisor.start, lab.root / f"libvirtd-{n}"))] for n in hosts]
    with futures.ThreadPoolExecutor(len(chains)) as pool:
        for done in [pool.submit(_chain, begun, chain) for chain in chains]:
            done.result()
    daemons.write_credentials(lab)
    if lab.remembered() and daemons.Fleet.remembered(lab) != fleet:
        _step(begun, "daemons of the former fleet stopped", partial(daemons.stop, lab))
    _step(begun, "nova-lite daemons", partial(daemons.start, lab, fleet))
    _step(begun, "flavors", partial(daemons.make_flavors, lab))
    print(f"\nready: export OS_CLIENT_CONFIG_FILE={lab.root}/clouds.yaml OS_CLOUD=lab   (or OS_CLOUD=lab-admin)")
    return 0


def _held(lab: Layout) -> set[str]:
    """Names of the ports that our own processes have."""
    owners = {
        **{name: rabbitmq.server(lab) for name in ("amqp", "erlang", "management")},
        **{name: maker(lab).server() for name, maker in databases.MAKERS.items()},
        **{server.name: server for server in neighbours.processes(lab)},
        "compute": daemons.api(lab),
        **dict.fromkeys(daemons.STAND_INS, daemons.stand_ins(lab)),
        "epmd": rabbitmq.epmd(lab),
    }
    return {name for name, owner in owners.items() if owner.alive()}


def _everything(lab: Layout) -> list[process.Process]:
    found = [rabbitmq.epmd(lab), rabbitmq.server(lab), *neighbours.processes(lab)]
    fleet = daemons.Fleet.remembered(lab)
    found.append(databases.MAKERS[fleet.database](lab).server())
    return [*found, *daemons.processes(lab, fleet).values()]


def status(lab: Layout, options: argparse.Namespace) -> int:
    """Exit code 0 when everything runs, 3 when something does not."""
    if not lab.remembered():
        print("down" if not options.json else "{}")
        return 3
    living = {one.name: one.pid() for one in _everything(lab)}
    if options.json:
        print(json.dumps({"processes": living, "ports": lab.ports, "fleet": lab.remembered()}, indent=2))
    else:
        for name, pid in living.items():
            print(f"{name:28} {'pid ' + str(pid) if pid else 'down'}")
        print(f"compute API {lab.url('compute', '/v2.1')}, identity {lab.url('keystone', '/v3')}")
    return 0 if all(living.values()) else 3


def down(lab: Layout, options: argparse.Namespace) -> int:
    """Stop everything, whatever `up` it came from; --purge forgets data, ports and passwords too."""
    stopped = daemons.stop(lab)
    for directory in sorted(lab.root.glob("libvirtd-*")):
        stopped += [directory.name] if hypervisor.stop(directory) else []
    stopped += neighbours.stop(lab)
    for maker in databases.MAKERS.values():
        stopped += maker(lab).stop()
    stopped += rabbitmq.stop(lab)
    print(f"stopped: {', '.join(stopped) or 'nothing ran'}")
    (lab.root / "up.json").unlink(missing_ok=True)
    if options.purge:
        shutil.rmtree(databases.Postgresql(lab).data.parent, ignore_errors=True)
        for path in lab.root.iterdir():
            if path != lab.neighbours:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    return 0


def logs(lab: Layout, options: argparse.Namespace) -> int:
    """The end of each log, or of those whose name has the given word in it."""
    found = [path for path in sorted(lab.root.glob("*/*.log")) if (options.name or "") in path.stem]
    if not found:
        print(f"no log named {options.name!r} under {lab.root}", file=sys.stderr)
        return 1
    return subprocess.run(["tail", "-n", str(options.lines), *(["-F"] if options.follow else []), *found]).returncode


def env(lab: Layout, _options: argparse.Namespace) -> int:
    """For `eval "$(nova-lite-lab env)"`."""
    print("".join(f"export {name}={value}\n" for name, value in daemons.openrc(lab).items()), end="")
    return 0


def start(lab: Layout, options: argparse.Namespace) -> int:
    print(f"{options.name}: pid {daemons.start_one(lab, options.name).pid()}")
    return 0


def kill(lab: Layout, options: argparse.Namespace) -> int:
    """SIGKILL, as if the machine had lost it."""
    daemons.named(lab, options.name).kill(signal.SIGKILL)
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser("nova-lite-lab", description=DESCRIPTION)
    verbs = top.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("up", help="install and start what is missing")
    one.add_argument("--database", choices=databases.ENGINES, default="mariadb")
    one.add_argument("--driver", choices=("fake", "libvirt"), default="libvirt")
    for name, meaning in (("hosts", "compute daemons"), ("conductors", "conductors"), ("schedulers", "schedulers"),
                          ("api-workers", "processes of the API")):  # fmt: skip
        one.add_argument(f"--{name}", type=int, default=1, metavar="N", help=f"number of {meaning}")
    one.add_argument("--concurrency", choices=("eventlet", "threading"), default="eventlet")
    one.add_argument("--set", action="append", default=[], metavar="[GROUP.]OPTION=VALUE", help="any further option")
    one = verbs.add_parser("status", help="what runs")
    one.add_argument("--json", action="store_true")
    one = verbs.add_parser("down", help="stop everything")
    one.add_argument("--purge", action="store_true", help="forget databases, images, ports and passwords too")
    one = verbs.add_parser("logs", help="the end of the logs")
    one.add_argument("name", nargs="?", help="only logs with this in their name")
    one.add_argument("-n", "--lines", type=int, default=20)
    one.add_argument("-f", "--follow", action="store_true")
    verbs.add_parser("env", help="print exports of the administrator's credentials")
    for verb, meaning in (("start", "start one daemon again"), ("kill", "kill -9 one daemon")):
        verbs.add_parser(verb, help=meaning).add_argument("name", help="as `status` shows it: nova-lite-compute-1")
    return top


VERBS = {"up": up, "status": status, "down": down, "logs": logs, "env": env, "start": start, "kill": kill}


def main() -> int:
    options = parser().parse_args()
    try:
        return VERBS[options.verb](layout.load(), options)
    except process.LabError as error:
        print(f"nova-lite-lab: {error}", file=sys.stderr)
        return 1


sys.exit(main())
