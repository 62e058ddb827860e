"""The embedded cloud as one background process, and what a first server needs in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import openstack

from demo.place import BIN, STATE, TOP, Progress
from lab import process

if TYPE_CHECKING:
    from openstack.connection import Connection

IMAGE, FLAVOR, SERVER = "tiny", "m1.demo", "first"
GUEST = STATE / "guest"
START_S = 60
BOOT_S = 180


def daemon() -> process.Process:
    argv = [str(BIN / "nova-lite-all-in-one"), "--config-file", str(STATE / "nova-lite.conf")]
    return process.Process("nova-lite-all-in-one", STATE, argv)


def _configuration(ports: dict[str, int], libvirt_uri: str) -> str:
    """The whole of it: everything else has a default."""
    driver = f"[compute]\ndriver = libvirt\n[libvirt]\nuri = {libvirt_uri}\n" if libvirt_uri else (
        "[compute]\ndriver = fake\n")  # fmt: skip
    return (
        f"[DEFAULT]\nstate_path = {STATE}\nosapi_compute_listen = 127.0.0.1\n"
        f"osapi_compute_listen_port = {ports['compute']}\n"
        f"[embedded]\nidentity_port = {ports['identity']}\nimage_port = {ports['image']}\n"
        f"network_port = {ports['network']}\nvolume_port = {ports['volume']}\n{driver}"
    )


def configure(ports: dict[str, int], libvirt_uri: str) -> None:
    (STATE / "nova-lite.conf").write_text(_configuration(ports, libvirt_uri))


def configured(ports: dict[str, int], libvirt_uri: str) -> bool:
    """What runs was started with this very configuration."""
    path = STATE / "nova-lite.conf"
    return path.exists() and path.read_text() == _configuration(ports, libvirt_uri)


def had_other_driver(libvirt_uri: str) -> bool:
    """Whether the cloud that is kept here ran with the fake driver and shall have a real one, or the other way."""
    path = STATE / "nova-lite.conf"
    return path.exists() and ("driver = fake\n" in path.read_text()) == bool(libvirt_uri)


def let_in_anew() -> None:
    """Each driver keeps the identity of its host beside its own guests: with another one the host seems a stranger."""
    manage = [str(BIN / "nova-lite-manage"), "--config-file", str(STATE / "operator.conf"), "service"]
    listed = subprocess.run([*manage, "list", "--json"], capture_output=True, text=True, timeout=BOOT_S)
    if listed.returncode:
        raise process.LabError(f"nova-lite-manage service list: {listed.stderr}")
    for each in json.loads(listed.stdout):
        if each["binary"] == "nova-lite-compute":
            forget = [*manage, "forget_identity", "--force", each["host"]]
            subprocess.run(forget, capture_output=True, check=True, timeout=BOOT_S)


def start(ports: dict[str, int]) -> None:
    """Start it unless it lives; returns once all three APIs answer."""
    running = daemon()
    running.start()
    running.wait(lambda: (STATE / "clouds.yaml").exists() and all(_answers(port) for port in ports.values()), START_S)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def client_environment(cloud: str = "nova-lite") -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    return {**kept, "OS_CLIENT_CONFIG_FILE": str(STATE / "clouds.yaml"), "OS_CLOUD": cloud}


def connect(cloud: str = "nova-lite") -> Connection:
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(STATE / "clouds.yaml")
    return openstack.connect(cloud=cloud)


def client(progress: Progress, arguments: str, cloud: str = "nova-lite") -> None:
    """Run the stock client, showing the command as a person would type it."""
    shown = arguments.replace(f"{TOP}/", "")
    progress.say(f"$ openstack {shown}" + ("" if cloud == "nova-lite" else f"   # OS_CLOUD={cloud}"))
    done = subprocess.run(
        [str(BIN / "openstack"), *arguments.split()], env=client_environment(cloud), capture_output=True, text=True,
        timeout=BOOT_S,
    )  # fmt: skip
    if done.returncode:
        raise process.LabError(f"openstack {shown}:\n{done.stdout}{done.stderr}")


def build_guest(progress: Progress, real: bool) -> str:
    """The guest's disk image: built once from Debian packages, or an empty one where nothing would run it."""
    image = GUEST / ("guest.qcow2" if real else "empty.raw")
    if image.exists():
        progress.say(f"guest image is there from before: {image.relative_to(STATE.parent)}")
    elif not real:
        GUEST.mkdir(parents=True, exist_ok=True)
        image.write_bytes(bytes(1 << 20))
    else:
        parts = STATE / "guest.part"
        with progress.step("building a tiny Linux guest from Debian packages (10 to 40 s, only this once)"):
            done = subprocess.run(
                [str(TOP / "bin" / "nova-lite-guest"), "-o", str(parts)], capture_output=True, text=True, timeout=600
            )
            if done.returncode or not (parts / "guest.qcow2").exists():
                raise process.LabError(f"nova-lite-guest: {done.stderr[-2000:]}{done.stdout[-500:]}")
            shutil.rmtree(GUEST, ignore_errors=True)
            parts.rename(GUEST)
    return str(image)


def provide(progress: Progress, cloud: Connection, image: str) -> int:
    """Image, flavor and server, unless a former run left them. Returns how many lines the console had before."""
    kind = "qcow2" if image.endswith(".qcow2") else "raw"
    name = IMAGE if kind == "qcow2" else f"{IMAGE}-{kind}"
    if not cloud.image.find_image(name):
        client(progress, f"image create --disk-format {kind} --container-format bare --file {image} {name}")
    if not cloud.compute.find_flavor(FLAVOR):
        client(progress, f"flavor create --ram 128 --disk 1 --vcpus 1 {FLAVOR}", "nova-lite-admin")
    return first_server(progress, cloud, name)


def first_server(progress: Progress, cloud: Connection, image: str) -> int:
    """Make the server, or start that of a former run. Returns how many lines its console had before this boot."""
    current = cloud.compute.find_server(SERVER)
    if current:
        current = settle(cloud, current)
    if current and current.status == "ERROR":
        progress.say(f"the server '{SERVER}' of a former run is in ERROR: deleting it")
        client(progress, f"server delete --wait {SERVER}")
        current = None
    if current and current.image.get("id") != cloud.image.find_image(image, ignore_missing=False).id:
        progress.say(f"the server '{SERVER}' of a former run was made for the other driver: deleting it")
        client(progress, f"server delete --wait {SERVER}")
        current = None
    if not current:
        client(progress, f"server create --image {image} --flavor {FLAVOR} --config-drive true {SERVER}")
        return 0
    if current.status != "SHUTOFF":
        progress.say(f"the server '{SERVER}' is there from before: {current.status}")
        return 0
    former = len(console(cloud, current.id))
    client(progress, f"server start {SERVER}")
    return former


def settle(cloud: Connection, server: Any) -> Any:
    """A server of a former run once no task is at work on it."""
    end = time.monotonic() + BOOT_S
    while server.task_state or server.status == "BUILD":
        if time.monotonic() > end:
            raise process.LabError(f"server {server.id} stays in {server.status}/{server.task_state}")
        time.sleep(0.2)
        server = cloud.compute.get_server(server.id)
    return server


def console(cloud: Connection, server: str) -> list[str]:
    """What the server has written so far; nothing while it is not on a host yet."""
    try:
        return str(cloud.compute.get_server_console_output(server)["output"] or "").splitlines()
    except (openstack.exceptions.ConflictException, openstack.exceptions.NotFoundException):
        return []


def _last_error() -> str:
    """The last failure that the daemon logged, and where the rest is."""
    failures = [line for line in daemon().tail(400).splitlines() if " ERROR " in line and " failed: " in line]
    said = f"\nthe host says: {failures[-1].partition(' failed: ')[2]}" if failures else ""
    return f"{said}\nthe log: {daemon().log}"


def follow_console(progress: Progress, cloud: Connection, former: int) -> bool:
    """Print the console as it grows, until it shows a login prompt; False if none came in time.

    :param former: lines of earlier boots, which do not count.
    :raises LabError: the server went to ERROR; the text has the reason.
    """
    server = cloud.compute.find_server(SERVER, ignore_missing=False)
    progress.say("the console of the server:")
    shown, end = former, time.monotonic() + BOOT_S
    while time.monotonic() < end:
        lines = console(cloud, server.id)
        prompted = any("login:" in line for line in lines[shown:])
        complete = lines if prompted else lines[:-1]
        for line in complete[shown:]:
            print(f"           | {line}", flush=True)
        shown = max(shown, len(complete))
        if prompted:
            return True
        server = cloud.compute.get_server(server.id)
        if server.status == "ERROR":
            why = (server.fault or {}).get("message")
            raise process.LabError(f"the server is in ERROR: {why}{_last_error()}")
        if server.status == "SHUTOFF" and not server.task_state:
            raise process.LabError(f"the server did not start{_last_error()}")
        time.sleep(0.2)
    return False
