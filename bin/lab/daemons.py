"""nova-lite's own daemons, each a process of its own, from one generated configuration."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, field
from typing import Any

from lab import databases, hypervisor, neighbours, process, rabbitmq
from lab.layout import TOP, Layout

BIN = TOP / ".venv" / "bin"
UP_S = 60
# id, name, vCPUs, MiB, GiB
FLAVORS = (
    ("1", "m1.tiny", 1, 512, 1), ("2", "m1.small", 1, 2048, 20), ("3", "m1.medium", 2, 4096, 40),
    ("42", "m1.nano", 1, 64, 1), ("84", "m1.micro", 1, 128, 1),
)  # fmt: skip
# The network and volume services of the lab are nova-lite's own stand-ins, behind the real Keystone.
EMBEDDED = "nova-lite-embedded"
STAND_INS = ("network", "volume")
STOP_S = 60


@dataclass(frozen=True)
class Fleet:
    """How many of what."""

    database: str = "mariadb"
    driver: str = "fake"
    hosts: int = 1
    conductors: int = 1
    schedulers: int = 1
    api_workers: int = 1
    concurrency: str = "eventlet"
    settings: tuple[str, ...] = field(default=())

    @classmethod
    def remembered(cls, lab: Layout) -> Fleet:
        facts: dict[str, Any] = lab.remembered()
        return cls(**{**facts, "settings": tuple(facts.get("settings", ()))})

    def remember(self, lab: Layout) -> None:
        lab.remember(**asdict(self))


def configuration(lab: Layout, fleet: Fleet) -> str:
    """The one file that all daemons read. What differs between hosts comes in their environment."""
    sections: dict[str, dict[str, object]] = {
        "DEFAULT": {
            "transport_url": rabbitmq.url(lab),
            "state_path": lab.directory("state"),
            "concurrency_backend": fleet.concurrency,
            "osapi_compute_listen": "127.0.0.1",
            "osapi_compute_listen_port": lab.ports["compute"],
            "osapi_compute_workers": fleet.api_workers,
            "debug": "true",
            "default_log_levels": "amqp=WARN,kombu=WARN,oslo.messaging=INFO,oslo_messaging=INFO,sqlalchemy=WARN,"
            "stevedore=WARN,keystonemiddleware=INFO,keystoneauth=INFO,urllib3=WARN,requests=WARN,routes=WARN",
        },
        "database": {"connection": databases.MAKERS[fleet.database](lab).url()},
        "compute": {"driver": fleet.driver},
        "network": {"backend": "neutron"},
        "embedded": {
            "network_port": lab.ports["network"],
            "volume_port": lab.ports["volume"],
            "directory": lab.directory("state") / "embedded",
            "region_name": neighbours.REGION,
        },
        "service_auth": {
            "auth_url": lab.url("keystone", "/v3"),
            "username": "nova-lite",
            "password": lab.secrets["service"],
            "project_name": "service",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
            "region_name": neighbours.REGION,
        },
    }
    for setting in fleet.settings:
        name, _, value = setting.partition("=")
        group, _, option = name.rpartition(".")
        sections.setdefault(group or "DEFAULT", {})[option] = value
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in options.items()) + "\n"
        for name, options in sections.items()
    )


def host_name(number: int, driver: str = "fake") -> str:
    """One name a hypervisor: a host that came back with other guests would be refused, and rightly."""
    return f"lab-{'host' if driver == 'fake' else driver}-{number}"


def host_state(lab: Layout, database: str, host: str) -> pathlib.Path:
    """Where a host keeps its guests, or a conductor what it knows of its database: apart for each database.

    What is of the one is none of the other's business.
    """
    return lab.directory("state") / database / host


PORTS = {"nova-lite-api": "compute", EMBEDDED: "volume"}


def _process(lab: Layout, binary: str, number: int = 1, env: dict[str, str] | None = None) -> process.Process:
    flags = [f"--service={each}" for each in STAND_INS] if binary == EMBEDDED else []
    argv = [str(BIN / binary), "--config-file", str(lab.conf), *flags]
    port = lab.ports[PORTS[binary]] if binary in PORTS else None
    return process.Process(f"{binary}-{number}", lab.directory("daemons"), argv, env or {}, port=port)


def stand_ins(lab: Layout) -> process.Process:
    return _process(lab, EMBEDDED)


def api(lab: Layout) -> process.Process:
    return _process(lab, "nova-lite-api")


def _named(lab: Layout, fleet: Fleet, host: str) -> dict[str, str]:
    return {"OS_DEFAULT__HOST": host, "OS_DEFAULT__STATE_PATH": str(host_state(lab, fleet.database, host))}


def _compute(lab: Layout, fleet: Fleet, number: int) -> process.Process:
    host = host_name(number, fleet.driver)
    env = _named(lab, fleet, host)
    if fleet.driver == "libvirt":
        env["OS_LIBVIRT__URI"] = hypervisor.uri(lab.root / f"libvirtd-{number}")
    return _process(lab, "nova-lite-compute", number, env)


def processes(lab: Layout, fleet: Fleet) -> dict[str, process.Process]:
    """All daemons by name, in the order they are started."""
    found = [_process(lab, EMBEDDED)]
    one_of_many = {"nova-lite-conductor": fleet.conductors, "nova-lite-scheduler": fleet.schedulers}
    found += [
        _process(lab, binary, number, _named(lab, fleet, f"lab-{binary.rpartition('-')[2]}-{number}"))
        for binary, count in one_of_many.items()
        for number in range(1, count + 1)
    ]
    found += [_compute(lab, fleet, number) for number in range(1, fleet.hosts + 1)]
    found.append(api(lab))
    return {one.name: one for one in found}


def manage(lab: Layout, *arguments: str) -> str:
    """nova-lite-manage with the lab's configuration."""
    argv = [str(BIN / "nova-lite-manage"), "--config-file", str(lab.conf), *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise process.LabError(f"nova-lite-manage {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def start(lab: Layout, fleet: Fleet) -> None:
    """Start those that do not run, all at once, then wait until each listens."""
    if all(daemon.alive() for daemon in processes(lab, fleet).values()) and not deaf(lab, fleet):
        return
    lab.conf.touch(mode=0o600)
    lab.conf.write_text(configuration(lab, fleet))
    manage(lab, "db", "sync")
    fleet.remember(lab)
    for daemon in processes(lab, fleet).values():
        daemon.start()
    wait_ready(lab, fleet)


def make_flavors(lab: Layout) -> None:
    """The classic flavors, in a cloud that has none."""
    with neighbours.connect(lab) as cloud:
        compute: Any = cloud.compute
        if next(compute.flavors(), None) is None:
            for ident, name, vcpus, ram, disk in FLAVORS:
                compute.create_flavor(id=ident, name=name, vcpus=vcpus, ram=ram, disk=disk)


def named(lab: Layout, name: str) -> process.Process:
    """One daemon of the fleet that was started. Raises LabError for a name that none has."""
    found = processes(lab, Fleet.remembered(lab)) if lab.remembered() else {}
    if name not in found:
        raise process.LabError(f"there is no daemon {name}; there are: {', '.join(found) or 'none, the lab is down'}")
    return found[name]


def start_one(lab: Layout, name: str) -> process.Process:
    """Start one daemon again, and wait until it listens."""
    daemon = named(lab, name)
    fleet = Fleet.remembered(lab)
    daemon.start()
    daemon.wait(lambda: name not in deaf(lab, fleet), UP_S)
    return daemon


def wait_ready(lab: Layout, fleet: Fleet) -> None:
    """Until every daemon listens. Raises LabError with the log of the first that ended or stays deaf."""
    everyone = processes(lab, fleet)
    end = time.monotonic() + UP_S
    while missing := deaf(lab, fleet):
        ended = [name for name in missing if not everyone[name].alive()]
        if ended or time.monotonic() > end:
            worst = everyone[(ended or missing)[0]]
            how = "ended" if ended else f"does not listen after {UP_S} s"
            raise process.LabError(f"{worst.name} {how}; log {worst.log}:\n{worst.tail(25)}")
        time.sleep(0.1)


def queue_of(name: str, driver: str = "fake") -> str:
    """The queue that only this daemon consumes from: <topic>.<host>."""
    binary, _, number = name.rpartition("-")
    topic = binary.removeprefix("nova-lite-")
    return f"{topic}.{host_name(int(number), driver) if topic == 'compute' else f'lab-{topic}-{number}'}"


def deaf(lab: Layout, fleet: Fleet) -> list[str]:
    """Names of the daemons that do not listen yet, or any more."""
    heard = {queue["name"] for queue in rabbitmq.queues(lab) if queue["consumers"]}
    return [name for name in processes(lab, fleet) if not _listens(lab, name, fleet.driver, heard)]


def _listens(lab: Layout, name: str, driver: str, heard: set[str]) -> bool:
    if name.startswith(EMBEDDED):
        return all(_answers(lab, service) for service in STAND_INS)
    return _answers(lab, "compute") if name.startswith("nova-lite-api") else queue_of(name, driver) in heard


def _answers(lab: Layout, service: str) -> bool:
    """Whether a service lists its versions."""
    try:
        with urllib.request.urlopen(lab.url(service, "/"), timeout=5) as answer:
            return bool(answer.status in (200, 300))
    except urllib.error.HTTPError as error:
        return error.code == 300
    except OSError:
        return False


def stop(lab: Layout) -> list[str]:
    """Stop whatever has a pid file, the API first, all told at once."""
    directory = lab.directory("daemons")
    names = sorted((path.stem for path in directory.glob("*.pid")), key=lambda name: "api" not in name)
    everyone = [process.Process(name, directory) for name in names]
    living = [daemon.name for daemon in everyone if daemon.alive()]
    for daemon in everyone:
        daemon.kill(signal.SIGTERM)
    for daemon in everyone:
        daemon.stop(STOP_S)
    return living


def clouds_yaml(lab: Layout) -> str:
    """Clouds `lab` (a member) and `lab-admin`; JSON is YAML."""
    clouds = {
        cloud: {
            "auth": {
                "auth_url": lab.url("keystone", "/v3"), "username": user, "password": neighbours.password(lab, user),
                "project_name": user, "user_domain_name": "Default", "project_domain_name": "Default",
            },
            "region_name": neighbours.REGION,
            "identity_api_version": "3",
        }
        for cloud, user in (("lab", "demo"), ("lab-admin", "admin"))
    }  # fmt: skip
    return json.dumps({"clouds": clouds}, indent=2) + "\n"


def openrc(lab: Layout, user: str = "admin") -> dict[str, str]:
    """Environment of a user in the project of the same name, for clients that know no clouds.yaml."""
    return {
        "OS_AUTH_URL": lab.url("keystone", "/v3"), "OS_USERNAME": user, "OS_PASSWORD": lab.secrets[user],
        "OS_PROJECT_NAME": user, "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default",
        "OS_REGION_NAME": neighbours.REGION, "OS_IDENTITY_API_VERSION": "3",
    }  # fmt: skip


def write_credentials(lab: Layout) -> None:
    """clouds.yaml and openrc, for the owner's eyes."""
    exports = "".join(f"export {name}={value!r}\n" for name, value in openrc(lab).items())
    for name, text in (("clouds.yaml", clouds_yaml(lab)), ("openrc", exports)):
        path = lab.root / name
        path.touch(mode=0o600)
        path.write_text(text)


def client_environment(lab: Layout, cloud: str = "lab") -> dict[str, str]:
    """For stock clients as subprocesses."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    return {**kept, "OS_CLIENT_CONFIG_FILE": str(lab.root / "clouds.yaml"), "OS_CLOUD": cloud}
