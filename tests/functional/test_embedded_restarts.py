"""The embedded services under kill -9 and under bytes that no client sends."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
import requests

from tests.harness import embedded_cloud

pytestmark = pytest.mark.processes

RAW = {"disk_format": "raw", "container_format": "bare"}


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def cloud(request, tmp_path_factory):
    options = "image_size_max = 20000000\nlogin_failure_limit = 5\nlogin_failure_window_s = 2\n"
    with embedded_cloud.running(tmp_path_factory.mktemp("cloud"), request.param, options) as running:
        yield running


def talk(port: int, data: bytes) -> bytes:
    """Send the bytes and read what comes back until the server closes or says nothing for a moment."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        received = b""
        while part := sock.recv(65536):
            received += part
    return received


def begin_upload(cloud, token: str, image_id: str) -> socket.socket:
    """An upload of which half has been sent."""
    sock = socket.create_connection(("127.0.0.1", cloud.image_port), timeout=5)
    head = (
        f"PUT /v2/images/{image_id}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\n"
        "Content-Type: application/octet-stream\r\nContent-Length: 10000000\r\n\r\n"
    )
    sock.sendall(head.encode() + b"x" * 5_000_000)
    return sock


def wait_for_status(connection, image_id: str, status: str) -> None:
    for _ in range(200):
        if connection.image.get_image(image_id).status == status:
            return
    raise AssertionError(f"never {status}")


def test_images_and_tokens_outlive_kill_9_and_a_cut_upload_can_be_repeated(cloud):
    demo, data = cloud.sdk(), os.urandom(500_000)
    kept = demo.create_image("kept", data=data, wait=True, **RAW)
    cut = demo.image.create_image("cut", **RAW)
    sock = begin_upload(cloud, demo.auth_token, cut.id)
    wait_for_status(demo, cut.id, "saving")
    cloud.kill()
    sock.close()
    cloud.start()
    assert demo.image.download_image(kept).content == data
    assert demo.image.get_image(cut.id).status == "queued"
    parts = [path for path in (cloud.state / "embedded/images/data").iterdir() if path.name != kept.id]
    assert parts == []
    answer = demo.image.put(
        f"/images/{cut.id}/file", data=b"again", headers={"Content-Type": "application/octet-stream"}
    )
    assert answer.status_code == 204
    for image in (kept, cut):
        demo.image.delete_image(image)


def test_a_client_that_hangs_up_leaves_a_queued_image(cloud):
    demo = cloud.sdk()
    image = demo.image.create_image("hung up", **RAW)
    sock = begin_upload(cloud, demo.auth_token, image.id)
    wait_for_status(demo, image.id, "saving")
    sock.close()
    wait_for_status(demo, image.id, "queued")
    demo.image.delete_image(image)


def test_a_spoofed_identity_is_nobody(cloud):
    headers = {"X-Identity-Status": "Confirmed", "X-Roles": "admin", "X-Project-Id": "x", "X-User-Id": "x"}
    for more in ({}, {"X-Auth-Token": "garbage"}):
        answer = requests.get(f"{cloud.image_url}/v2/images", headers=headers | more, timeout=10)
        assert answer.status_code == 401 and "Keystone" in answer.headers["WWW-Authenticate"]


def test_a_users_token_is_checked_again_after_it_was_revoked(cloud):
    demo = cloud.sdk()
    headers = {"X-Auth-Token": demo.auth_token, "X-Subject-Token": demo.auth_token}
    assert requests.delete(f"{cloud.auth_url}/auth/tokens", headers=headers, timeout=10).status_code == 204
    assert requests.get(f"{cloud.auth_url}/auth/projects", headers=headers, timeout=10).status_code == 401


LOGIN = b"POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
REQUESTS = [
    (LOGIN + b"5\r\n\r\n{", 400),
    (LOGIN + b"99999999\r\n\r\n", 413),
    (LOGIN + b"-1\r\n\r\n", 400),
    (b"GET /v3/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"GET /v3/users/%00 HTTP/1.1\r\nHost: x\r\nX-Auth-Token: %00\r\n\r\n", 401),
    (b"GET /v3/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nX-Auth-Token: " + b"A" * 9000 + b"\r\n\r\n", 401),
    (b"GET /v3?limit=%ff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"BREW /v3/users HTTP/1.1\r\nHost: x\r\n\r\n", 405),
]


@pytest.mark.parametrize(("data", "status"), REQUESTS)
def test_odd_requests_are_refused_in_json(cloud, data, status):
    answer = talk(cloud.identity_port, data)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == str(status).encode(), answer
    assert b'"error"' in body or status == 400, "a server may refuse what is no HTTP by itself"
    assert b"Traceback" not in answer


def test_chunks_without_end_stop_at_the_limit(cloud):
    demo = cloud.sdk()
    image = demo.image.create_image("endless", **RAW)
    sent = 0

    def endless():
        nonlocal sent
        while sent < 200_000_000:
            sent += 1_000_000
            yield b"x" * 1_000_000

    headers = {"X-Auth-Token": demo.auth_token, "Content-Type": "application/octet-stream"}
    before = cloud.rss_mb()
    try:
        answer = requests.put(
            f"{cloud.image_url}/v2/images/{image.id}/file", data=endless(), headers=headers, timeout=60
        )
        assert answer.status_code == 413
    except requests.ConnectionError:
        pass  # the server hung up before we had sent it all, which is as good
    assert demo.image.get_image(image.id).status == "queued" and cloud.rss_mb() < before + 20
    demo.image.delete_image(image)


def test_guesses_do_not_grow_the_process(cloud):
    def guess(number: int) -> int:
        user = {"name": f"user{number}", "domain": {"id": "default"}, "password": f"guess{number}"}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
        return session.post(f"{cloud.auth_url}/auth/tokens", json=body, timeout=10).status_code

    # Hashing a password takes megabytes for a moment, and each thread's heap keeps its own: they are warm after some.
    with requests.Session() as session:
        assert {guess(number) for number in range(300)} <= {401, 429}
        before = cloud.rss_mb()
        assert {guess(number) for number in range(300, 650)} <= {401, 429}
    assert cloud.rss_mb() < before + 5


def test_the_stand_ins_are_light():
    """Neither drags in what an API process would not have anyway."""
    code = (
        "import sys, nova_lite.embedded.identity.wsgi, nova_lite.embedded.image.wsgi\n"
        "heavy = {'sqlalchemy', 'eventlet', 'requests', 'keystoneauth1', 'oslo_messaging', 'openstack'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
