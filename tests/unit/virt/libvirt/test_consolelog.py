from __future__ import annotations

import pathlib
import stat

from nova_lite.virt.libvirt import consolelog

UUID = "5f0a3c52-8c1e-4b7a-9d57-0c1f6b1d2e3f"


def test_tail(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "console.log"
    assert consolelog.tail(str(log), 10) == b""
    log.write_bytes(b"0123456789")
    assert consolelog.tail(str(log), 4) == b"6789"
    assert consolelog.tail(str(log), 100) == b"0123456789"
    assert consolelog.tail(str(log), 0) == b""


def test_trim_keeps_the_last_half_and_tail_reads_across(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "console.log"
    log.write_bytes(b"0123456789")
    with open(log, "ab") as guest:  # QEMU's descriptor stays open
        assert not consolelog.trim(str(log), 10)
        guest.write(b"ab")
        guest.flush()
        assert consolelog.trim(str(log), 10)
        guest.write(b"cd")
    assert log.read_bytes() == b"cd"
    assert consolelog.tail(str(log), 100) == b"789abcd"
    assert consolelog.tail(str(log), 3) == b"bcd"
    assert stat.S_IMODE((tmp_path / "console.log.0").stat().st_mode) == 0o600


def test_trim_all_looks_at_servers_only(tmp_path: pathlib.Path) -> None:
    for name in (UUID, "_base"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "console.log").write_bytes(b"x" * 100)
    (tmp_path / UUID.replace("5f", "6f")).mkdir()  # has no log yet
    assert consolelog.trim_all(str(tmp_path), 10) == 1
    assert (tmp_path / UUID / "console.log").stat().st_size == 0
    assert (tmp_path / "_base" / "console.log").stat().st_size == 100
    assert consolelog.trim_all(str(tmp_path / "none"), 10) == 0
