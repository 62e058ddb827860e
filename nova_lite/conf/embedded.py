"""[embedded]: the stand-ins for Keystone, Glance, Neutron and Cinder of the one-machine profile."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "embedded"

OPTIONS = [
    cfg.HostAddressOpt(
        "listen",
        default="127.0.0.1",
        help="Address that the embedded services listen on. Change it to reach them from another "
        "machine. Related: allow_remote, public_host.",
    ),
    cfg.BoolOpt(
        "allow_remote",
        default=False,
        help="Whether 'listen' may be an address that other machines reach. The embedded services speak plain HTTP and "
        "know no more than the users in one file: set it only on a network you trust.",
    ),
    cfg.HostAddressOpt(
        "public_host",
        help="Host name or address in the catalogue's and clouds.yaml's URLs; unset, it is 'listen', or this machine's "
        "name where 'listen' is a wildcard. Set it where clients use another address.",
    ),
    cfg.PortOpt(
        "identity_port",
        default=5000,
        help="TCP port of the embedded identity service. Change it where another service has that port.",
    ),
    cfg.PortOpt(
        "image_port",
        default=9292,
        help="TCP port of the embedded image service. Change it where another service has that port.",
    ),
    cfg.PortOpt(
        "network_port",
        default=9696,
        help="TCP port of the embedded network service. Change it where another service has that port.",
    ),
    cfg.StrOpt(
        "network_vif_type",
        default="user",
        choices=[
            ("user", "QEMU's own user-mode network: outgoing traffic only, no root needed"),
            ("bridge", "a tap on the Linux bridge named by 'network_bridge'"),
        ],
        help="How hosts plug the ports of the embedded network service. Change it where guests must be reachable. "
        "Related: network_bridge.",
    ),
    cfg.StrOpt(
        "network_bridge",
        default="br0",
        help="Name of the Linux bridge that ports are plugged into. Set it to the one that has the DHCP server. "
        "Related: network_vif_type.",
    ),
    cfg.PortOpt(
        "volume_port",
        default=8776,
        help="TCP port of the embedded volume service. Change it where another service has that port.",
    ),
    cfg.StrOpt(
        "directory",
        default="$state_path/embedded",
        help="Directory of users, token key, images, networks and volumes. Move it to keep them on another disk.",
    ),
    cfg.StrOpt(
        "clouds_yaml",
        default="$state_path/clouds.yaml",
        help="File that receives the clouds 'nova-lite' and 'nova-lite-admin' for OpenStack clients; other clouds in "
        "it stay as they are. Set it to ~/.config/openstack/clouds.yaml for clients to find it by themselves.",
    ),
    cfg.StrOpt("region_name", default="RegionOne", help="The one region of the embedded catalogue."),
    cfg.IntOpt(
        "token_lifetime_s",
        default=12 * 3600,
        min=60,
        max=30 * 24 * 3600,
        help="Seconds that a token of the embedded identity service is valid. Shorten it where tokens may leak.",
    ),
    cfg.IntOpt(
        "login_failure_limit",
        default=20,
        min=1,
        max=1_000_000,
        help="Wrong passwords for one user within login_failure_window_s after which further logins of that user are "
        "refused with 429. Related: login_failure_window_s.",
    ),
    cfg.IntOpt(
        "login_failure_window_s",
        default=60,
        min=1,
        max=24 * 3600,
        help="Seconds over which wrong passwords are counted, and after which a refused user may try again.",
    ),
    cfg.IntOpt(
        "image_size_max",
        default=1 << 40,
        min=1,
        max=1 << 60,
        help="Bytes that one uploaded image may have; larger uploads get 413. Lower it where disk space is scarce.",
    ),
    cfg.BoolOpt(
        "require_image_format_match",
        default=True,
        help="Whether an upload whose content is not of the declared disk_format is refused, as Glance does. Unset it "
        "only to test how the compute service treats such images.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
