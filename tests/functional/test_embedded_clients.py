"""openstacksdk and our own image client against the embedded services, on both concurrency backends."""

from __future__ import annotations

import os
import subprocess
import threading
import uuid

import openstack
import pytest
from oslo_config import cfg

from nova_lite import exception
from nova_lite.conf import embedded, glance, service_auth
from nova_lite.context import RequestContext
from nova_lite.identity import sessions
from nova_lite.image.api import API
from tests.harness import embedded_cloud

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def cloud(request, tmp_path_factory):
    with embedded_cloud.running(tmp_path_factory.mktemp("cloud"), request.param) as running:
        yield running


@pytest.fixture(scope="module")
def demo(cloud):
    return cloud.sdk()


@pytest.fixture(scope="module")
def admin(cloud):
    return cloud.sdk("nova-lite-admin")


def test_the_sdk_logs_in_and_reads_identity(demo, admin):
    assert demo.authorize() and demo.current_project.name == "demo"
    assert {user.name for user in admin.identity.users()} == {"admin", "demo", "nova"}
    assert admin.identity.find_project("demo").id == demo.current_project_id
    with pytest.raises(openstack.exceptions.ForbiddenException):
        list(demo.identity.users())


def test_a_wrong_password_and_a_wrong_project_are_401(cloud):
    for change in ({"password": "wrong"}, {"project_name": "admin"}, {"project_name": "nonsense"}):
        entry = {"auth_url": cloud.auth_url, "username": "demo", "password": cloud.passwords["demo"],
                 "project_name": "demo", "user_domain_name": "Default", "project_domain_name": "Default"}  # fmt: skip
        connection = openstack.connect(auth=entry | change, load_yaml_config=False, load_envvars=False)
        with pytest.raises(Exception, match="401"):
            connection.authorize()


def test_the_sdk_uploads_changes_downloads_and_deletes(demo, tmp_path):
    path = tmp_path / "image.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), "1G"], check=True)
    image = demo.create_image("sdk", filename=str(path), disk_format="qcow2", container_format="bare", wait=True)
    assert image.status == "active" and image.virtual_size == 1 << 30
    demo.image.update_image(image, name="renamed", hw_rng_model="virtio")
    found = demo.image.find_image("renamed")
    assert found.id == image.id and found.hw_rng_model == "virtio"
    assert demo.image.download_image(image).content == path.read_bytes()
    demo.image.add_tag(image, "tag")
    assert demo.image.get_image(image.id).tags == ["tag"]
    demo.image.delete_image(image)
    assert demo.image.find_image("renamed") is None


def test_the_sdk_reads_more_images_than_a_page_has(demo):
    made = [
        demo.image.create_image(f"p{number:02}", disk_format="raw", container_format="bare") for number in range(27)
    ]
    assert {image.name for image in demo.image.images()} >= {image.name for image in made}
    for image in made:
        demo.image.delete_image(image)


def test_another_project_sees_only_what_is_public(demo, admin):
    secret = admin.image.create_image("secret", disk_format="raw", container_format="bare", visibility="private")
    public = admin.image.create_image("public", disk_format="raw", container_format="bare", visibility="public")
    assert demo.image.get_image(public.id).name == "public"
    with pytest.raises(openstack.exceptions.NotFoundException):
        demo.image.get_image(secret.id)
    with pytest.raises(openstack.exceptions.ForbiddenException):
        demo.image.delete_image(public.id)
    for image in (secret, public):
        admin.image.delete_image(image)


@pytest.fixture
def conf(cloud):
    """What a compute host's configuration says, with credentials from the users' file."""
    made = cfg.ConfigOpts()
    made([])
    for module in (service_auth, glance, embedded):
        module.register(made)
    made.set_override("auth_url", cloud.auth_url, "service_auth")
    made.set_override("password", cloud.passwords["nova"], "service_auth")
    made.set_override("retry_delay_s", 0.05, "glance")
    yield made
    sessions.forget()


def test_our_client_reads_a_users_private_image_without_the_users_token(conf, demo, tmp_path):
    data = os.urandom(3_000_000)
    facts = {"disk_format": "raw", "container_format": "bare", "visibility": "private", "hw_disk_bus": "scsi"}
    image = demo.create_image("theirs", data=data, wait=True, **facts)
    api = API(conf)
    assert api.get(None, image.id).properties["hw_disk_bus"] == "scsi"
    api.download(None, image.id, tmp_path / "data")
    assert (tmp_path / "data").read_bytes() == data
    assert image.id in [each.id for each in api.list(None)]
    demo.image.delete_image(image)
    with pytest.raises(exception.ImageNotFound):
        api.get(None, image.id)


def test_our_client_acts_with_the_users_token_where_there_is_one(conf, demo, admin):
    image = admin.image.create_image("hidden", disk_format="raw", container_format="bare", visibility="private")
    api = API(conf)
    with pytest.raises(exception.ImageNotFound):
        api.get(RequestContext(auth_token=demo.auth_token), image.id)
    assert api.get(RequestContext(auth_token=admin.auth_token), image.id).name == "hidden"
    with pytest.raises(exception.Unauthorized):
        api.get(RequestContext(auth_token="garbage"), image.id)
    admin.image.delete_image(image)


def test_our_client_makes_an_image_for_a_user_and_fills_it_itself(conf, demo, tmp_path):
    user, api = RequestContext(auth_token=demo.auth_token), API(conf)
    image_id, data = str(uuid.uuid4()), os.urandom(2_500_000)
    for _ in range(2):  # the answer was lost
        made = api.create(user, image_id, "shot", {"image_type": "snapshot", "owner/of~it": "x"}, min_disk=1)
    assert (made.id, made.status, made.visibility, made.owner) == (
        image_id, "queued", "private", demo.current_project_id,
    )  # fmt: skip
    (tmp_path / "data").write_bytes(data)
    for _ in range(2):  # killed before it could say that it was done
        with open(tmp_path / "data", "rb") as file:
            full = api.upload(None, image_id, file, "raw")
        assert (full.status, full.size, full.disk_format, full.container_format) == ("active", len(data), "raw", "bare")
    api.update(None, image_id, {"image_state": "available", "owner/of~it": "y"})
    (found,) = api.list(None, image_type="snapshot")
    assert found.id == image_id and found.properties["owner/of~it"] == "y"
    assert demo.image.download_image(image_id).content == data
    assert api.url(None, image_id).endswith(f"/images/{image_id}") and "/v2/" not in api.url(None, image_id)
    assert api.delete(user, image_id) and not api.delete(None, image_id)


def test_our_client_says_when_it_may_not_log_in(conf):
    conf.set_override("password", "wrong", "service_auth")
    conf.set_override("num_retries", 0, "glance")
    with pytest.raises(exception.Unavailable, match="may not log in"):
        API(conf).get(None, "x")


def test_many_clients_at_once(cloud, demo):
    """Logins, uploads and downloads side by side."""
    failures: list[BaseException] = []

    def one(number: int) -> None:
        try:
            own, data = cloud.sdk(), os.urandom(200_000)
            image = own.create_image(f"n{number}", data=data, disk_format="raw", container_format="bare", wait=True)
            assert own.image.download_image(image).content == data
            own.image.delete_image(image)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == [] and not any(thread.is_alive() for thread in threads)
