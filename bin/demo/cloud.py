"""The embedded cloud as one background process, and what a first server needs in it."""

from __future__ import annotations

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


def configure(ports: dict[str, int], libvirt_uri: str) -> None:
    """The whole configuration: everything else has a default."""
    driver = f"[compute]\ndriver = libvirt\n[libvirt]\nuri = {libvirt_uri}\n" if libvirt_uri else (
        "[compute]\ndriver = fake\n")  # fmt: skip
    (STATE / "nova-lite.conf").write_text(
        f"[DEFAULT]\nstate_path = {STATE}\nosapi_compute_listen = 127.0.0.1\n"
        f"osapi_compute_listen_port = {ports['compute']}\n"
        f"[embedded]\nidentity_port = {ports['identity']}\nimage_port = {ports['image']}\n{driver}"
    )


def start(ports: dict[str, int]) -> None:
    """Start it; returns once all three APIs answer."""
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


def provide(progress: Progress, cloud: Connection, image: str) -> None:
    """Image and flavor, unless a former run left them."""
    kind = "qcow2" if image.endswith(".qcow2") else "raw"
    name = IMAGE if kind == "qcow2" else f"{IMAGE}-{kind}"
    if not cloud.image.find_image(name):
        client(progress, f"image create --disk-format {kind} --container-format bare --file {image} {name}")
    if not cloud.compute.find_flavor(FLAVOR):
        client(progress, f"flavor create --ram 128 --disk 1 --vcpus 1 {FLAVOR}", "nova-lite-admin")
    current = cloud.compute.find_server(SERVER)
    if current and current.status == "ERROR":
        progress.say(f"the server '{SERVER}' of a former run is in ERROR: deleting it")
        client(progress, f"server delete --wait {SERVER}")
        current = None
    if current and current.status != "ACTIVE":
        current = settle(cloud, current)
    if not current:
        client(progress, f"server create --image {name} --flavor {FLAVOR} --wait {SERVER}")
    elif current.status == "ACTIVE":
        progress.say(f"the server '{SERVER}' is there from before and runs")
    else:
        client(progress, f"server start {SERVER}")


def settle(cloud: Connection, server: Any) -> Any:
    """A server of a former run once no task is at work on it."""
    end = time.monotonic() + BOOT_S
    while server.task_state or server.status == "BUILD":
        if time.monotonic() > end:
            raise process.LabError(f"server {server.id} stays in {server.status}/{server.task_state}")
        time.sleep(0.2)
        server = cloud.compute.get_server(server.id)
    return server


def follow_console(progress: Progress, cloud: Connection) -> bool:
    """Print the console as it grows, until it shows a login prompt; False if none came in time."""
    server = cloud.compute.find_server(SERVER, ignore_missing=False)
    progress.say("the console of the server:")
    shown, end = 0, time.monotonic() + BOOT_S
    while time.monotonic() < end:
        lines = str(cloud.compute.get_server_console_output(server.id)["output"] or "").splitlines()
        complete = lines if any("login:" in line for line in lines[shown:]) else lines[:-1]
        for line in complete[shown:]:
            print(f"           | {line}", flush=True)
        shown = max(shown, len(complete))
        if any("login:" in line for line in complete):
            return True
        time.sleep(0.2)
    return False
