"""nova-lite-all-in-one: the embedded cloud, everything in one process, nothing to set up.

Identity, image, network, volume and compute API, conductor, scheduler and a compute host; SQLite; messages through
memory. Whatever the configuration files (--config-file) say wins over the profile's defaults, and the flags here win
over both.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nova_lite import concurrency, exception

if TYPE_CHECKING:
    from oslo_config import cfg

    from nova_lite.embedded.profile import Profile
    from nova_lite.manager import Manager
    from nova_lite.service import Service, WSGIService

BINARY = "nova-lite-all-in-one"

# Offsets of --port-base, in this order.
PORTS = ("identity", "image", "compute", "network", "volume")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the embedded cloud until it is told to end; the exit code."""
    concurrency.patch()
    flags, rest = parser().parse_known_args(sys.argv[1:] if argv is None else argv)
    from nova_lite.cmd import startup

    conf = startup.begin(BINARY, rest, lambda conf: override(conf, flags))
    return startup.explained(BINARY, lambda: _run(conf, flags))


def parser() -> argparse.ArgumentParser:
    """The flags beside oslo.config's own (--config-file, --debug, --log-file ...)."""
    text = (__doc__ or "").split("\n", 1)
    found = argparse.ArgumentParser(BINARY, description=text[0], epilog=text[1].strip(), allow_abbrev=False)
    found.add_argument("--fake", action="store_true", help="guests that exist in memory only: no hypervisor needed")
    found.add_argument("--hosts", type=_hosts, metavar="N", help="how many fake hosts there are (default: 1)")
    found.add_argument("--state-dir", metavar="DIR", help="where everything is kept (default: [DEFAULT] state_path)")
    found.add_argument("--port-base", type=_port, metavar="N", help="all APIs on ports from N on, identity first")
    for name in PORTS:
        found.add_argument(f"--{name}-port", type=_port, metavar="N", help=f"port of the {name} API")
    found.add_argument("--quiet", action="store_true", help="do not print what to try next")
    return found


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65534:
        raise argparse.ArgumentTypeError(f"{text} is no port")
    return number


def _hosts(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 100")
    return number


def override(conf: cfg.ConfigOpts, flags: argparse.Namespace) -> None:
    """Put the flags over the configuration."""
    import os

    if flags.state_dir:
        conf.set_override("state_path", os.path.abspath(flags.state_dir))
    if flags.fake:
        conf.set_override("driver", "fake", group="compute")
    if flags.hosts:
        conf.set_override("hosts", flags.hosts, group="fake_driver")
    options = {
        "identity": ("identity_port", "embedded"),
        "image": ("image_port", "embedded"),
        "compute": ("osapi_compute_listen_port", None),
        "network": ("network_port", "embedded"),
        "volume": ("volume_port", "embedded"),
    }
    for offset, name in enumerate(PORTS):
        port = getattr(flags, f"{name}_port") or (flags.port_base + offset if flags.port_base else None)
        if port:
            option, group = options[name]
            conf.set_override(option, port, group=group)


def _run(conf: cfg.ConfigOpts, flags: argparse.Namespace) -> int:
    from nova_lite import policy, rpc
    from nova_lite.cmd import startup
    from nova_lite.embedded import profile

    where = profile.prepare(conf)
    policy.init(conf)
    prepare_database(conf)
    rpc.init(conf)
    apis = wsgi_services(conf)
    neighbours, compute = apis[:-1], apis[-1:]
    hello = (lambda: None) if flags.quiet else lambda: print(advice(where, apis), flush=True)
    control, hosts = rpc_services(conf)
    # Neighbours first: a host that finds a stale guest while it starts gives its ports and volumes back.
    return startup.serve(BINARY, [neighbours, control, hosts, compute], conf, on_ready=hello)


def prepare_database(conf: cfg.ConfigOpts) -> None:
    """The newest schema and, in an empty cloud, the classic flavors."""
    from nova_lite.cmd import startup
    from nova_lite.db import migration
    from nova_lite.db.api import flavors

    startup.open_database(conf)
    migration.sync()
    flavors.seed_defaults()


def wsgi_services(conf: cfg.ConfigOpts) -> list[WSGIService]:
    """The stand-ins on the embedded profile's ports, and the compute API on its own.

    :raises ConfigInvalid: an application cannot be made, or a port is taken.
    """
    from nova_lite.api import deploy
    from nova_lite.cmd.embedded import SERVICES, stand_ins
    from nova_lite.service import WSGIService

    app = deploy.load_app("osapi_compute", None, conf)
    address = (conf.osapi_compute_listen, conf.osapi_compute_listen_port)
    return [*stand_ins(conf, ("identity", *SERVICES)), WSGIService("osapi_compute", lambda: app, conf, address)]


def rpc_services(conf: cfg.ConfigOpts) -> tuple[list[Service], list[Service]]:
    """Conductor and scheduler; the compute hosts, of which only the fake driver can have several."""
    from nova_lite.cmd.conductor import memory
    from nova_lite.compute.manager import ComputeManager
    from nova_lite.compute.rpcapi import TOPIC as COMPUTE
    from nova_lite.conductor.manager import ConductorManager
    from nova_lite.conductor.rpcapi import TOPIC as CONDUCTOR
    from nova_lite.scheduler.manager import SchedulerManager
    from nova_lite.scheduler.rpcapi import TOPIC as SCHEDULER
    from nova_lite.service import Service

    def service(topic: str, manager: Manager) -> Service:
        return Service(f"nova-lite-{topic}", topic, manager, manager.host)

    control = [
        service(CONDUCTOR, ConductorManager(conf.host, conf, memory=memory(conf))),
        service(SCHEDULER, SchedulerManager(conf.host, conf)),
    ]
    return control, [service(COMPUTE, ComputeManager(host, conf, or_fake=True)) for host in host_names(conf)]


def host_names(conf: cfg.ConfigOpts) -> list[str]:
    """The names of the compute hosts in this process.

    :raises ConfigInvalid: several hosts of a real hypervisor.
    """
    count = conf.fake_driver.hosts
    if count > 1 and conf.compute.driver != "fake":
        raise exception.ConfigInvalid(detail="[fake_driver] hosts: only the fake driver can have several (--fake).")
    return [conf.host, *(f"{conf.host}-{number}" for number in range(2, count + 1))]


def advice(where: Profile, apis: Sequence[WSGIService]) -> str:
    """What to try next."""
    urls = "\n".join(f"  {service.name:14} {service.url}" for service in apis)
    return (
        f"nova-lite serves:\n{urls}\n"
        f"Try:\n"
        f"  export OS_CLIENT_CONFIG_FILE={where.clouds_yaml} OS_CLOUD=nova-lite\n"
        f"  openstack flavor list\n"
        f"  openstack image create --disk-format qcow2 --file IMAGE.qcow2 my-image\n"
        f"  openstack server create --image my-image --flavor m1.tiny --wait my-server\n"
        f"Administrator: OS_CLOUD=nova-lite-admin. Ctrl-C ends it; everything is kept."
    )
