from __future__ import annotations

import dataclasses
import pathlib

import pytest
from oslo_config import cfg

from nova_lite.conf import libvirt as group
from nova_lite.virt.libvirt.options import Options, default_uri, from_conf


@pytest.fixture
def conf(tmp_path: pathlib.Path) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    conf.register_opts([cfg.StrOpt("state_path", default=str(tmp_path))])
    group.register(conf)
    conf([], default_config_files=[])
    return conf


def test_the_configurations_defaults_are_the_dataclasses(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> None:
    found = from_conf(conf, "h1")
    expected = Options(instances_path=str(tmp_path / "instances"), host="h1", uri=found.uri)
    assert found == expected


def test_every_option_is_read() -> None:
    fields = {field.name for field in dataclasses.fields(Options)} - {"host", "host_ip"}
    assert {option.dest for option in group.OPTIONS} == fields


def test_what_is_set_arrives(conf: cfg.ConfigOpts) -> None:
    conf.set_override("uri", "qemu:///system?socket=/x", "libvirt")
    conf.set_override("instances_path", "instances", "libvirt")
    conf.set_override("vnc_enabled", False, "libvirt")
    conf.register_opts([cfg.StrOpt("my_ip", default="192.0.2.1")])
    found = from_conf(conf, "h1")
    assert found.uri == "qemu:///system?socket=/x"
    assert pathlib.Path(found.instances_path).is_absolute()
    assert not found.vnc_enabled
    assert found.host_ip == "192.0.2.1"


@pytest.mark.parametrize(("uid", "uri"), [(0, "qemu:///system"), (1000, "qemu:///session")])
def test_default_uri(uid: int, uri: str) -> None:
    assert default_uri(uid) == uri


@pytest.mark.parametrize(("name", "value"), [("virt_type", "xen"), ("vnc_listen", "here"), ("qemu_img_timeout_s", 0)])
def test_bad_values_are_refused(conf: cfg.ConfigOpts, name: str, value: object) -> None:
    with pytest.raises(ValueError):
        conf.set_override(name, value, "libvirt")
