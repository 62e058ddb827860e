"""A server's local disks: an overlay over the cached base image, and blank ones for ephemeral and swap space.

The manifest is written last: a directory without one is an unfinished attempt, made again from the start.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import struct
from typing import Any

from nova_lite import concurrency, exception
from nova_lite.objects import Instance
from nova_lite.virt import images
from nova_lite.virt.libvirt.imagecache import Base, ImageCache
from nova_lite.virt.libvirt.layout import Layout, LocalDisk, Paths, is_uuid
from nova_lite.virt.libvirt.options import GIB, MIB, Options

LOG = logging.getLogger(__name__)


class Disks:
    """:param readable_by_others: QEMU runs as a user who is not ours and must pass through our directories."""

    def __init__(self, options: Options, cache: ImageCache, readable_by_others: bool = False) -> None:
        self._options = options
        self._cache = cache
        self._directory_mode = 0o711 if readable_by_others else 0o700
        self._limits = images.Limits(options.qemu_img_memory_mb, options.qemu_img_timeout_s)

    def paths(self, instance_uuid: str) -> Paths:
        return Paths(self._options.instances_path, instance_uuid)

    def create(self, ctxt: Any, instance: Instance) -> Layout:
        """Lay the disks; what a finished earlier attempt laid is kept.

        :raises ImageUnacceptable: see :meth:`ImageCache.fetch`.
        """
        paths = self.paths(instance.uuid)
        existing = self.find(instance.uuid)
        if existing is not None and all(os.path.exists(disk.path) for disk in existing.disks):
            return existing
        if existing is not None:
            raise exception.BuildFailed(instance_uuid=instance.uuid, reason="one of its disks is gone")
        if instance.image is None:
            raise exception.BuildFailed(instance_uuid=instance.uuid, reason="it has no image to boot from")
        self.collect()
        os.makedirs(paths.directory, mode=0o700, exist_ok=True)
        os.chmod(paths.directory, self._directory_mode)
        base = self._cache.fetch(ctxt, instance.image, instance.flavor.root_gb * GIB)
        layout = Layout(
            disks=(self._root(instance, paths, base), *self._blanks(instance, paths)),
            kernel=self._cache.fetch_kernel(ctxt, instance.kernel_id) if instance.kernel_id else None,
            ramdisk=self._cache.fetch_kernel(ctxt, instance.ramdisk_id) if instance.ramdisk_id else None,
        )
        _write(paths.manifest, layout.to_json())
        return layout

    def find(self, instance_uuid: str) -> Layout | None:
        """The disks as they were laid; None where they were not."""
        path = self.paths(instance_uuid).manifest
        try:
            with open(path, encoding="utf-8") as source:
                return Layout.from_json(source.read())
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:  # never taken for "no disks": they hold a user's data
            raise exception.NovaLiteError(f"{path} is damaged: {error}") from error

    def delete(self, instance_uuid: str) -> None:
        """Remove the server's directory and all in it."""
        concurrency.run_blocking(_remove_tree, self.paths(instance_uuid).directory)

    def servers(self) -> frozenset[str]:
        """Uuids of the servers that have a directory here, finished or not."""
        try:
            return frozenset(name for name in os.listdir(self._options.instances_path) if is_uuid(name))
        except FileNotFoundError:
            return frozenset()

    def collect(self) -> None:
        """Remove base images that no server here uses any more; none while it is unknown what one server uses."""
        in_use: set[str] = set()
        try:
            layouts = [self.find(uuid) for uuid in self.servers()]
        except exception.NovaLiteError as error:
            LOG.error("cached images are not collected: %s", error)
            return
        for layout in layouts:
            if layout is not None:
                in_use |= {path for disk in layout.disks for path in (disk.path, disk.base) if path}
                in_use |= {path for path in (layout.kernel, layout.ramdisk) if path}
        self._cache.collect(frozenset(in_use))

    def overcommitted_bytes(self) -> int:
        """What the disks of all servers may still grow by."""
        total = 0
        for uuid in self.servers():
            with contextlib.suppress(exception.NovaLiteError):  # damaged: said where it is needed
                layout = self.find(uuid)
                total += sum(_may_grow(disk) for disk in (layout.disks if layout is not None else ()))
        return total

    def _root(self, instance: Instance, paths: Paths, base: Base) -> LocalDisk:
        if instance.image is not None and instance.image.disk_format == "iso":
            return LocalDisk("root", base.path, base.format, device="cdrom")
        path = paths.disk("root")
        size = instance.flavor.root_gb * GIB or base.virtual_size
        argv = images.overlay_argv(base.path, base.format, path + ".part", size)
        concurrency.run_blocking(images.run, argv, self._limits)
        os.chmod(path + ".part", 0o600)
        os.rename(path + ".part", path)
        return LocalDisk("root", path, "qcow2", base=base.path, base_format=base.format)

    def _blanks(self, instance: Instance, paths: Paths) -> tuple[LocalDisk, ...]:
        """Sparse files: they read as zeros, and nobody else's old blocks are in them."""
        sizes = (("ephemeral", instance.flavor.ephemeral_gb * GIB), ("swap", instance.flavor.swap_mb * MIB))
        found = []
        for role, size in sizes:
            if size:
                path = paths.disk(role)
                descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
                try:
                    os.ftruncate(descriptor, size)
                finally:
                    os.close(descriptor)
                found.append(LocalDisk(role, path, "raw"))
        return tuple(found)


def _write(path: str, text: str) -> None:
    """All of the text or none, also through a power cut."""
    temporary = path + ".part"
    descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    os.rename(temporary, path)


def _remove_tree(directory: str) -> None:
    while os.path.isdir(directory):
        with contextlib.suppress(FileNotFoundError):  # somebody removes it as well: look again
            shutil.rmtree(directory)


def _may_grow(disk: LocalDisk) -> int:
    """Bytes between the size the guest sees and the blocks the file has."""
    try:
        status = os.stat(disk.path)
        size = status.st_size
        if disk.format == "qcow2":
            with open(disk.path, "rb") as source:  # written by QEMU alone: the guest cannot reach this header
                size = struct.unpack(">24xQ", source.read(32))[0]
    except (OSError, struct.error):
        return 0
    return max(0, size - status.st_blocks * 512)
