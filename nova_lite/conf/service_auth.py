"""[service_auth]: nova-lite's own credentials, written once for every neighbour."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "service_auth"

OPTIONS = [
    cfg.URIOpt(
        "auth_url",
        schemes=["http", "https"],
        help="URL of the identity service, for example http://controller:5000/v3. The embedded profile sets it itself. "
        "Related: [keystone_authtoken], whose options win for the token check where they are set.",
    ),
    cfg.StrOpt(
        "username",
        default="nova",
        help="User that nova-lite acts as towards its neighbours. It needs the roles service and admin.",
    ),
    cfg.StrOpt("password", secret=True, help="Password of that user. The embedded profile generates it."),
    cfg.StrOpt("project_name", default="service", help="Project that the user's token is scoped to."),
    cfg.StrOpt(
        "user_domain_name",
        default="Default",
        help="Domain of the user. Change it where services have a domain of their own.",
    ),
    cfg.StrOpt(
        "project_domain_name",
        default="Default",
        help="Domain of the project. Change it where services have a domain of their own.",
    ),
    cfg.StrOpt(
        "region_name",
        help="Region whose endpoints are used; unset, the first of the catalogue. Set it in clouds of several regions.",
    ),
    cfg.StrOpt(
        "interface",
        default="internal",
        choices=["internal", "public", "admin"],
        help="Which endpoints of the catalogue the token check uses. Clients of single services have options of their "
        "own. Related: [glance] valid_interfaces.",
    ),
    cfg.StrOpt("cafile", help="PEM file of the authorities of the neighbours' certificates; unset, the system's."),
    cfg.BoolOpt("insecure", default=False, help="Whether certificates go unverified. Never set it outside of a lab."),
    cfg.FloatOpt(
        "timeout_s",
        default=30.0,
        min=0.1,
        max=3600.0,
        help="Seconds that a neighbour may take to connect or to send the next bytes. Raise it for slow neighbours.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
