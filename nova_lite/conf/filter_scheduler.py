"""[filter_scheduler]: which hosts may take a server, and which of them is best."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "filter_scheduler"


def _multiplier(name: str, default: float, what: str) -> cfg.FloatOpt:
    return cfg.FloatOpt(
        name,
        default=default,
        min=-1000000.0,
        max=1_000_000_000.0,
        help=f"Weight of {what} in the choice of a host. Zero ignores it; a negative number turns the preference "
        "round, so that hosts are filled one after the other. Related: the other *_weight_multiplier options.",
    )


OPTIONS = [
    cfg.ListOpt(
        "enabled_filters",
        default=[
            "ComputeFilter",
            "AvailabilityZoneFilter",
            "RamFilter",
            "CoreFilter",
            "DiskFilter",
            "ImagePropertiesFilter",
            "DifferentHostFilter",
            "SameHostFilter",
        ],
        help="The filters that a host must pass; their order does not matter. A name that is no filter stops the "
        "scheduler at start. Leave one out only where its question makes no sense for the site: claims are checked in "
        "the database all the same. ForceHostFilter, RetryFilter and the filters of server groups are always on.",
    ),
    _multiplier("ram_weight_multiplier", 1.0, "free memory"),
    _multiplier("cpu_weight_multiplier", 1.0, "free vCPUs"),
    _multiplier("disk_weight_multiplier", 1.0, "free local disk"),
    # More than the three above together: a user's wish goes before an even load.
    _multiplier("soft_affinity_weight_multiplier", 10.0, "members of a soft-affinity group on a host"),
    _multiplier("soft_anti_affinity_weight_multiplier", 10.0, "hosts with few members of a soft-anti-affinity group"),
    cfg.FloatOpt(
        "build_failure_weight_multiplier",
        default=1000000.0,
        min=0,
        max=1_000_000_000.0,
        help="Weight against hosts on which builds failed one after the other, above all else by default. Lower it "
        "where users' own mistakes, such as broken images, count against good hosts; zero ignores failures.",
    ),
    cfg.IntOpt(
        "host_subset_size",
        default=1,
        min=1,
        max=1000,
        help="Best hosts among which one is drawn for each server. Raise it where several schedulers send their "
        "servers to the same host at the same time. Related: shuffle_best_same_weighed_hosts.",
    ),
    cfg.BoolOpt(
        "shuffle_best_same_weighed_hosts",
        default=False,
        help="Draw among all hosts that share the highest weight, instead of taking the first by name. Switch it on "
        "where many hosts are alike. The draw depends on the server's uuid only, so it can be repeated. Related: "
        "host_subset_size.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
