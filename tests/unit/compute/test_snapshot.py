"""Backups: the new one stays before an older one goes for it."""

from __future__ import annotations

import dataclasses
from unittest import mock

import pytest

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.snapshot import create_backup
from nova_lite.objects import ImageMeta, Instance, Operation
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, operation


def _uploaded() -> tuple[LoneHost, Instance, Operation]:
    """The new backup is whole: a former life of the host has brought it there."""
    lone, server = LoneHost(), make_instance(host=NAME)
    whole = [ImageMeta(id=each, status="active") for each in ("new", "old")]
    images = mock.Mock(get=mock.Mock(return_value=whole[0]), list=mock.Mock(return_value=whole))
    images.delete.side_effect = lambda ctxt, image_id: lone.conductor.told.append(("delete", image_id))
    lone.host = dataclasses.replace(lone.host, image=images)
    return lone, server, operation("createBackup", server, image_id="new", backup_type="daily", rotation=1)


def test_the_new_backup_is_kept_before_the_old_one_goes() -> None:
    lone, server, backup = _uploaded()
    create_backup(lone.host, CTXT, backup, server)
    assert lone.conductor.told[0] == ("progress", backup.id, backup.attempt, actions.IMAGE_KEPT_STEP, {})
    assert lone.conductor.verbs() == ["progress", "delete", "finish_operation"]


def test_a_backup_that_was_overtaken_rotates_nothing() -> None:
    lone, server, backup = _uploaded()
    lone.conductor.refuses = {actions.IMAGE_KEPT_STEP}
    with pytest.raises(exception.StaleWrite):
        create_backup(lone.host, CTXT, backup, server)
    assert lone.conductor.told == []
