"""One guest of each kind; the golden files beside this are what they become."""

from __future__ import annotations

from dataclasses import replace

from nova_lite.objects import Flavor, ImageMeta, Instance, Vif
from nova_lite.virt.libvirt.build import properties
from nova_lite.virt.libvirt.build.request import GuestRequest
from nova_lite.virt.libvirt.layout import Layout, LocalDisk
from nova_lite.virt.libvirt.options import Options

UUID = "5f0a3c52-8c1e-4b7a-9d57-0c1f6b1d2e3f"
DIRECTORY = f"/srv/instances/{UUID}"
BASE = "/srv/instances/_base/0123456789abcdef.raw"

OPTIONS = Options(instances_path="/srv/instances", force_config_drive=False)
FLAVOR = Flavor(flavorid="1", name="m1.tiny", vcpus=2, memory_mb=512, root_gb=1)
INSTANCE = Instance(
    uuid=UUID, project_id="p1", user_id="u1", display_name="web & <db>", vm_state="building", flavor=FLAVOR,
    generation=7, image_ref="9a1b5c9e-0f6d-4d2c-8f0b-3c7f4a0e9d11",
)  # fmt: skip
ROOT = LocalDisk("root", f"{DIRECTORY}/disk.root", "qcow2", base=BASE, base_format="raw")
EPHEMERAL = LocalDisk("ephemeral", f"{DIRECTORY}/disk.ephemeral", "raw")
SWAP = LocalDisk("swap", f"{DIRECTORY}/disk.swap", "raw")
CONFIG = LocalDisk("config", f"{DIRECTORY}/disk.config", "raw", device="cdrom")
USER = Vif(id="0b7a2f9c-1111-4e1e-9c55-7d0c9a2b4e10", mac="52:54:00:aa:bb:01", network_id="n1", label="private")
BRIDGE = replace(USER, id="1c7a2f9c-2222-4e1e-9c55-7d0c9a2b4e11", mac="52:54:00:aa:bb:02", type="bridge", bridge="br0",
                 mtu=1450)  # fmt: skip
OVS = replace(BRIDGE, id="2d7a2f9c-3333-4e1e-9c55-7d0c9a2b4e12", mac="52:54:00:aa:bb:03", type="ovs", bridge="br-int")
UNPLUGGED = replace(USER, id="3e7a2f9c-4444-4e1e-9c55-7d0c9a2b4e13", mac="52:54:00:aa:bb:04", type="none")

PLAIN = GuestRequest(
    instance=INSTANCE, layout=Layout((ROOT,)), options=OPTIONS, console_log=f"{DIRECTORY}/console.log", vifs=(USER,)
)


def asking(**wishes: str) -> properties.Properties:
    """An image's wishes, read as the driver reads them."""
    return properties.read(ImageMeta(id="image", properties=wishes))


KERNEL = replace(PLAIN, layout=Layout((ROOT,), kernel="/srv/instances/_base/k.kernel", ramdisk="/srv/b/r.kernel"))

KINDS: dict[str, GuestRequest] = {
    "plain": PLAIN,
    "kernel": KERNEL,
    "kernel-command-line": replace(KERNEL, properties=asking(os_command_line="root=/dev/vda1 quiet nl.x=<&>")),
    "everything": replace(
        PLAIN,
        layout=Layout((ROOT, EPHEMERAL, SWAP, CONFIG)),
        vifs=(USER, BRIDGE, OVS, UNPLUGGED),
        virt_type="kvm",
        properties=asking(hw_qemu_guest_agent="True", hw_rng_model="virtio", hw_vif_model="e1000"),
    ),
    "q35-uefi-scsi": replace(
        PLAIN,
        layout=Layout((ROOT, CONFIG)),
        options=replace(OPTIONS, vnc_enabled=False, tb_cache_mb=0),
        instance=INSTANCE.replace(flavor=FLAVOR.replace(extra_specs={"hw_rng:allowed": "False"})),
        properties=asking(hw_machine_type="q35", hw_firmware_type="uefi", hw_disk_bus="scsi"),
    ),
    "cdrom": replace(
        PLAIN,
        layout=Layout((LocalDisk("root", BASE, "raw", device="cdrom"), EPHEMERAL)),
        options=replace(OPTIONS, cpu_mode="host-passthrough", vnc_listen="::1"),
        vifs=(),
        virt_type="kvm",
        properties=asking(hw_pointer_model="ps2mouse", hw_video_model="cirrus"),
    ),
    "kept-qcow2": replace(
        PLAIN, layout=Layout((replace(ROOT, base="/srv/instances/_base/ab.qcow2", base_format="qcow2"),))
    ),
    "arm": replace(PLAIN, arch="aarch64"),
}
