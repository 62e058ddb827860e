"""[network]: where servers' interfaces come from."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "network"

OPTIONS = [
    cfg.StrOpt(
        "backend",
        default="user",
        choices=[
            ("neutron", "the network service of the catalogue, see [neutron]; it says how each port is plugged"),
            ("user", "QEMU's own user-mode network: outgoing traffic only, no root needed"),
            ("bridge", "a tap on the Linux bridge named by 'bridge'; addresses are the bridge's DHCP server's affair"),
            ("none", "servers get no interface"),
        ],
        help="What gives a server its interface: the network service, or one flat network of our own. The embedded "
        "profile uses its own network service. Related: bridge, [neutron].",
    ),
    cfg.StrOpt(
        "bridge",
        default="br0",
        help="Name of the Linux bridge of the 'bridge' backend. Set it to the one that has the DHCP server. Related: "
        "backend.",
    ),
    cfg.StrOpt(
        "label",
        default="private",
        help="The network's name in a server's addresses. Change it to match what clients expect.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
