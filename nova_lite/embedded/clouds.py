"""clouds.yaml: how OpenStack clients find this cloud."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import yaml

from nova_lite import exception
from nova_lite.embedded import files

HEADER = b"# Clouds of nova-lite; try: openstack --os-cloud nova-lite token issue\n"


def cloud(auth_url: str, username: str, password: str, project_name: str, region_name: str) -> dict[str, Any]:
    """One entry, for a user and a project of the default domain."""
    return {
        "auth": {
            "auth_url": auth_url,
            "username": username,
            "password": password,
            "project_name": project_name,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        },
        "region_name": region_name,
        "interface": "public",
        "identity_api_version": "3",
    }


def write_clouds_yaml(path: str | os.PathLike[str], clouds: dict[str, dict[str, Any]]) -> Path:
    """Put the clouds into the file, readable by its owner only; other clouds in it stay. The path written is returned.

    :raises ConfigInvalid: the file is there and is no clouds.yaml, or cannot be written.
    """
    target = Path(os.path.realpath(os.path.expanduser(path)))
    try:
        content = _read(target)
        merged = {**content, "clouds": {**content.get("clouds", {}), **clouds}}
        if merged == content:
            target.chmod(0o600)
            return target
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = target.stat() if target.exists() else None
        files.replace_private(target, HEADER + yaml.safe_dump(merged, sort_keys=False).encode())
        if owner is not None:
            # A root that writes into somebody's home must not take the file away from them.
            with contextlib.suppress(PermissionError):
                os.chown(target, owner.st_uid, owner.st_gid)
    except OSError as error:
        raise exception.ConfigInvalid(
            detail=f"{target} cannot be written ({error.strerror}): set [embedded] clouds_yaml to another path."
        ) from error
    return target


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        content = error
    content = {} if content is None else content
    if not isinstance(content, dict) or not isinstance(content.get("clouds", {}), dict):
        raise exception.ConfigInvalid(
            detail=f"{path} is no clouds.yaml: mend or move it, or set [embedded] clouds_yaml to another path."
        )
    return content
