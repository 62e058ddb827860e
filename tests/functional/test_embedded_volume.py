"""openstacksdk and our own client against the embedded volume service, on both concurrency backends."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import openstack
import pytest
from oslo_config import cfg

from nova_lite import exception
from nova_lite.conf import cinder, embedded, service_auth
from nova_lite.context import RequestContext
from nova_lite.identity import sessions
from nova_lite.volume.api import API
from tests.harness import embedded_cloud

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def cloud(request, tmp_path_factory):
    with embedded_cloud.running(tmp_path_factory.mktemp("cloud"), request.param) as running:
        yield running


@pytest.fixture(scope="module")
def demo(cloud):
    return cloud.sdk()


def test_a_volume_has_the_image_that_it_was_made_of(cloud, demo, tmp_path):
    raw, path = tmp_path / "raw", tmp_path / "image.qcow2"
    raw.write_bytes(os.urandom(300_000) + bytes(700_576))
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(path)], check=True)
    image = demo.create_image("boot", filename=str(path), disk_format="qcow2", container_format="bare", wait=True)
    volume = demo.block_storage.create_volume(size=1, image_id=image.id, name="boot")
    assert "volume_image_metadata" not in volume.to_dict(original_names=True, ignore_none=True)
    demo.block_storage.wait_for_status(volume, "available", failures=["error"], interval=0.2, wait=30)
    shown = demo.block_storage.get_volume(volume.id)
    assert shown.is_bootable and shown.volume_image_metadata["image_id"] == image.id
    file = Path(cloud.state) / "embedded/volumes/data" / f"volume-{volume.id}"
    assert file.stat().st_size == 1 << 30 and file.stat().st_blocks * 512 < 64 << 20
    with open(file, "rb") as data:
        assert data.read(300_000) == raw.read_bytes()[:300_000]
    demo.block_storage.delete_volume(volume)
    demo.image.delete_image(image)


def test_volumes_survive_a_kill(cloud, demo):
    volume = demo.block_storage.create_volume(size=1, name="kept")
    demo.block_storage.wait_for_status(volume, "available", interval=0.2, wait=30)
    cloud.kill()
    cloud.start()
    assert demo.block_storage.get_volume(volume.id).status == "available"
    demo.block_storage.delete_volume(volume)


@pytest.fixture
def conf(cloud):
    """What a compute host's configuration says, with credentials from the users' file."""
    made = cfg.ConfigOpts()
    made([])
    for module in (service_auth, cinder, embedded):
        module.register(made)
    made.set_override("auth_url", cloud.auth_url, "service_auth")
    made.set_override("password", cloud.passwords["nova"], "service_auth")
    yield made
    sessions.forget()


def test_our_client_holds_a_users_volume(conf, demo):
    """With the user's token it makes and reserves; with its own it connects, as a host does."""
    api = API(conf)
    user = RequestContext(auth_token=demo.auth_token, project_id=demo.current_project_id, overwrite=False)
    volume = api.create(user, 1, "ours")
    assert api.wait_available(None, volume.id).status == "available"
    server = "6edbc2f4-1507-44f8-ac0d-eed1d2608d38"
    held = api.attachment_create(user, volume.id, server)
    found = api.attachment_update(None, held, {"host": "h"}, "/dev/vdb")
    assert found.connection["driver_volume_type"] == "local"
    assert Path(found.connection["data"]["device_path"]).stat().st_size == 1 << 30
    api.attachment_complete(None, held)
    assert api.get(user, volume.id).attachments == {server: held}
    assert [each.id for each in api.attachments_of(None, server)] == [held]
    with pytest.raises(exception.InvalidInput, match="must be available"):
        api.attachment_create(user, volume.id, "7edbc2f4-1507-44f8-ac0d-eed1d2608d38")
    api.attachment_delete(None, held)
    api.attachment_delete(None, held)
    api.delete(None, volume.id)
    with pytest.raises(exception.VolumeNotFound):
        api.get(user, volume.id)


def test_our_client_says_that_there_is_no_volume_service(conf):
    conf.set_override("catalog_info", "nonsense::public", "cinder")
    with pytest.raises(exception.NoVolumeService):
        API(conf).get(None, "x")


def test_another_project_sees_nothing(cloud, demo):
    volume = demo.block_storage.create_volume(size=1, name="mine")
    nova = openstack.connect(
        auth={"auth_url": cloud.auth_url, "username": "demo", "password": cloud.passwords["demo"],
              "project_name": "demo", "user_domain_name": "Default", "project_domain_name": "Default"},
        load_yaml_config=False, load_envvars=False,
    )  # fmt: skip
    assert nova.block_storage.get_volume(volume.id).name == "mine"
    admin = cloud.sdk("nova-lite-admin")
    assert volume.id not in [each.id for each in admin.block_storage.volumes()]
    assert volume.id in [each.id for each in admin.block_storage.volumes(all_projects=True)]
    demo.block_storage.wait_for_status(volume, "available", interval=0.2, wait=30)
    demo.block_storage.delete_volume(volume)
