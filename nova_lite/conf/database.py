"""[database]: where the cloud's state lives."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "database"

OPTIONS = [
    cfg.StrOpt(
        "connection",
        secret=True,
        help="URL of the database: sqlite:///file, mysql+pymysql://user:password@host/name or "
        "postgresql+psycopg2://user:password@host/name. Unset is the file nova-lite.sqlite under [DEFAULT] state_path. "
        "Set it as soon as services run in more than one process. Related: [DEFAULT] concurrency_backend.",
    ),
    cfg.IntOpt(
        "max_pool_size",
        default=10,
        min=1,
        max=1000,
        help="Connections each process keeps open. Raise it when the log says that the pool ran dry. "
        "Related: [database] max_overflow.",
    ),
    cfg.IntOpt(
        "max_overflow",
        default=50,
        min=0,
        max=10000,
        help="Connections each process may open for a moment over max_pool_size. Lower it when the database server "
        "refuses connections.",
    ),
    cfg.IntOpt(
        "pool_timeout",
        default=10,
        min=1,
        max=600,
        help="Seconds to wait for a free connection before a request is answered 503. Raise it for long bursts.",
    ),
    cfg.IntOpt(
        "connection_recycle_time",
        default=3600,
        min=-1,
        max=30 * 24 * 3600,
        help="Seconds after which an idle connection is replaced; -1 never. Keep it below the server's wait_timeout.",
    ),
    cfg.IntOpt(
        "max_retries",
        default=10,
        min=0,
        max=100,
        help="How often a transaction that met a deadlock is run again before the request is answered 503. "
        "Raise it where many processes write the same rows.",
    ),
    cfg.FloatOpt(
        "sqlite_busy_timeout_s",
        default=30.0,
        min=0.1,
        max=600.0,
        help="Seconds a writer of SQLite waits for the other writers. Raise it on slow disks.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
