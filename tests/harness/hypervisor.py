"""A real hypervisor for tests: a libvirtd of our own, an image service of files, servers of the nano guest."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nova_lite import concurrency
from nova_lite.objects import Flavor, ImageMeta, Instance, Vif
from nova_lite.virt.libvirt.options import Options
from tests.harness.guest import nano

if TYPE_CHECKING:
    from nova_lite.virt.libvirt.driver import LibvirtDriver

LIBVIRTD = pathlib.Path(__file__).resolve().parents[2] / "bin" / "nova-lite-libvirtd"
PROGRAMS = ("libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "unshare", *nano.PROGRAMS)
TINY = Flavor(flavorid="nano", name="nano", vcpus=1, memory_mb=16, root_gb=1)


def impossible() -> str | None:
    """Why this machine and user cannot run it; None when they can."""
    search = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [program for program in PROGRAMS if shutil.which(program, path=search) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    if importlib.util.find_spec("libvirt") is None:
        return "Python has no libvirt binding"
    return None if os.geteuid() == 0 else "a libvirtd of our own needs root"


class Hypervisor:
    """A libvirtd in a directory of its own; a short path, because sockets' paths are."""

    def __init__(self) -> None:
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="nl-hv-"))
        self.uri = self.verb("start")

    def verb(self, verb: str) -> str:
        done = subprocess.run([LIBVIRTD, verb, self.directory], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def pid(self) -> int:
        """libvirtd's process id."""
        return int((self.directory / "run" / "libvirtd.pid").read_text())

    def qemu_pid(self, guest: str) -> int:
        return int((self.directory / "run" / "qemu" / f"{guest}.pid").read_text())

    def close(self) -> None:
        self.verb("stop")
        shutil.rmtree(self.directory)


class Images:
    """The image service's door onto files; counts the downloads."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[ImageMeta, pathlib.Path]] = {}
        self.downloads: list[str] = []

    def add(self, path: pathlib.Path, disk_format: str, **values: Any) -> ImageMeta:
        content = path.read_bytes()
        image = ImageMeta(
            id=str(uuid.uuid4()), name=path.name, disk_format=disk_format, container_format="bare", size=len(content),
            checksum=hashlib.md5(content, usedforsecurity=False).hexdigest(), os_hash_algo="sha512",
            os_hash_value=hashlib.sha512(content).hexdigest(), **values,
        )  # fmt: skip
        self.files[image.id] = (image, path)
        return image

    def get(self, ctxt: Any, image_id: str) -> ImageMeta:
        return self.files[image_id][0]

    def download(self, ctxt: Any, image_id: str, path: str) -> None:
        self.downloads.append(image_id)
        shutil.copyfile(self.files[image_id][1], path)


def make_driver(uri: str, root: pathlib.Path, image_api: Any, **options: Any) -> LibvirtDriver:
    from nova_lite.virt.libvirt.driver import LibvirtDriver  # needs the libvirt binding, which may be missing

    driver = LibvirtDriver(Options(instances_path=str(root / "instances"), uri=uri, host="hv1", **options), image_api)
    driver.init_host()
    return driver


def make_server(image: ImageMeta, **values: Any) -> Instance:
    defaults: dict[str, Any] = {
        "uuid": str(uuid.uuid4()), "project_id": "p", "user_id": "u", "display_name": "nano", "vm_state": "building",
        "flavor": TINY, "image": image, "image_ref": image.id, "generation": 1,
    }  # fmt: skip
    return Instance(**{**defaults, **values})


def make_vif() -> Vif:
    number = uuid.uuid4()
    mac = "52:54:00:" + ":".join(f"{byte:02x}" for byte in number.bytes[:3])
    return Vif(id=str(number), mac=mac, network_id=str(uuid.uuid4()), label="private")


def wait_for(condition: Callable[[], Any], what: str, timeout_s: float = 30) -> Any:
    """The first true answer; asks often, because a test that waits should end when it can."""
    end = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < end, f"after {timeout_s} s still not so: {what}"
        concurrency.sleep(0.02)
    return found


def wait_for_login(driver: LibvirtDriver, server: Instance, boots: int = 1) -> bytes:
    """The console, once the guest has shown its prompt so many times."""

    def prompted() -> bytes | None:
        text = driver.console_output(server, 1 << 20)
        return text if text.count(nano.PROMPT) >= boots else None

    found: bytes = wait_for(prompted, f"login prompt number {boots}")
    return found
