"""[fake_driver]: a hypervisor whose guests exist in name only, for tests of clients and for teaching."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "fake_driver"

OPTIONS = [
    cfg.IntOpt(
        "hosts",
        default=1,
        min=1,
        max=100,
        help="How many fake hosts nova-lite-all-in-one runs: the first has the name of [DEFAULT] host, the others have "
        "a number behind it. Raise it to see servers being resized, migrated and evacuated.",
    ),
    cfg.IntOpt(
        "vcpus",
        default=1000,
        min=1,
        max=2**31 - 1,
        help="Physical CPUs that the fake host claims to have. Lower it to see hosts refuse.",
    ),
    cfg.IntOpt(
        "memory_mb",
        default=8_000_000,
        min=1,
        max=2**31 - 1,
        help="Memory in MiB that the fake host claims to have. Lower it to see hosts refuse.",
    ),
    cfg.IntOpt(
        "local_gb",
        default=600_000,
        min=1,
        max=2**31 - 1,
        help="Disk in GiB that the fake host claims to have. Lower it to see hosts refuse.",
    ),
    cfg.BoolOpt(
        "persist",
        default=True,
        help="Keep the guests' states as small files below [DEFAULT] state_path, so that they outlive the daemon as "
        "a real hypervisor's guests do. Turn it off for throw-away tests.",
    ),
    cfg.DictOpt(
        "delays",
        default={},
        help="Seconds that a call of the driver takes, by its name: 'spawn:2.5,destroy:0.5'. Set it to see states, "
        "or to have time to break something.",
    ),
    cfg.ListOpt(
        "faults",
        default=[],
        help="Calls that fail: 'CALL:KIND' or 'CALL:KIND:TIMES', where KIND is raise, abort (no other host is tried) "
        "or hang, and TIMES how often (default: always). Set it to see what the cloud makes of it.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
