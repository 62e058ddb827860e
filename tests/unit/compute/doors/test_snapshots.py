"""What an image says of the server that it was made of."""

from __future__ import annotations

from nova_lite.compute.doors.snapshots import snapshot_properties
from nova_lite.context import RequestContext
from nova_lite.objects import Flavor, ImageMeta, Instance

CTXT = RequestContext(user_id="u", project_id="p", roles=["member", "reader"], user_name="joe", project_name="demo")
IMAGE = ImageMeta(
    id="base",
    properties={
        "hw_disk_bus": "scsi", "img_signature": "secret", "block_device_mapping": "[]", "os_glance_stage_host": "x",
        "owner_specified.openstack.md5": "5", "image_type": "snapshot", "instance_uuid": "another",
    },
)  # fmt: skip
SERVER = Instance("s", "owner", "u", "web", "active", Flavor("1", "f", 1, 1, 1), image_ref="base", image=IMAGE)


def test_it_inherits_what_is_true_of_the_copy_too() -> None:
    assert snapshot_properties(CTXT, SERVER) == {
        "hw_disk_bus": "scsi", "instance_uuid": "s", "user_id": "u", "image_type": "snapshot",
        "image_location": "snapshot", "image_state": "available", "owner_id": "owner", "base_image_ref": "base",
        "boot_roles": "member,reader", "owner_user_name": "joe", "owner_project_name": "demo",
    }  # fmt: skip


def test_the_kernel_goes_along_and_names_that_nobody_knows_do_not() -> None:
    found = snapshot_properties(RequestContext(user_id="u"), SERVER.replace(kernel_id="k", image=None))
    assert found["kernel_id"] == "k" and "ramdisk_id" not in found
    assert "owner_user_name" not in found and "hw_disk_bus" not in found
