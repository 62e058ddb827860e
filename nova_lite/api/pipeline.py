"""Paste factories of the compute API: the pipeline for [api] auth_strategy, and the application at its end."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.api import deploy


def pipeline_factory(loader: Any, global_conf: dict[str, str], **local_conf: str) -> Any:
    """The pipeline named like the strategy: ``keystone = cors request_id ... app``.

    :raises ConfigInvalid: the composite has no pipeline for the strategy.
    """
    strategy = deploy.configuration().api.auth_strategy
    if strategy not in local_conf:
        known = ", ".join(sorted(local_conf))
        raise exception.ConfigInvalid(
            detail=f"[api] auth_strategy is '{strategy}', but the Paste composite has only: {known}"
        )
    *filters, name = local_conf[strategy].split()
    made = [loader.get_filter(each) for each in filters]
    app = loader.get_app(name)
    for each in reversed(made):
        app = each(app)
    return app


def app_factory(global_conf: dict[str, str], **local_conf: str) -> Any:
    """The dispatcher of /v2.1, or of /v2 where the section says ``legacy = true``."""
    from nova_lite.api.openstack.compute import application

    legacy = local_conf.get("legacy", "false").lower() in ("true", "1", "yes")
    return application.build(deploy.configuration(), legacy=legacy)
