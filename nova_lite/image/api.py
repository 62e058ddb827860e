"""The door to the image service."""

from __future__ import annotations

import os
from typing import IO

from oslo_config import cfg

from nova_lite import exception
from nova_lite.context import RequestContext
from nova_lite.image import download, meta
from nova_lite.image.glance import Glance
from nova_lite.objects.image import ImageMeta

PAGE = 500


class API:
    """Images as the caller may see them: with the context's token where it has one, else as nova-lite itself.

    Errors of all methods: ImageNotFound, Unauthorized, Forbidden, Invalid, ImageUnacceptable, Unavailable.
    """

    def __init__(self, conf: cfg.ConfigOpts = cfg.CONF) -> None:
        self._glance = Glance(conf)
        self._size_max = conf.glance.image_size_max

    def get(self, ctxt: RequestContext | None, image_id: str) -> ImageMeta:
        """One image, with its custom properties apart."""
        return self._glance.get(ctxt, image_id)

    def list(self, ctxt: RequestContext | None, **filters: str) -> list[ImageMeta]:
        """All images that pass the filters of Glance's API, such as ``visibility="public"``."""
        found: list[ImageMeta] = []
        marker = None
        while True:
            rows = self._glance.list(ctxt, filters, PAGE, marker)
            found += [meta.from_json(row) for row in rows]
            if len(rows) < PAGE or found[-1].id == marker:
                return found
            marker = found[-1].id

    def download(
        self, ctxt: RequestContext | None, image_id: str, target: str | os.PathLike[str] | IO[bytes]
    ) -> ImageMeta:
        """The image's bytes, proven by its hash, into an open file or a new private one.

        :raises ImageUnacceptable: also when the image is not active; an open file then has a part of it.
        """
        image = self.get(ctxt, image_id)
        if image.status != "active":
            raise exception.ImageUnacceptable(image_id=image_id, reason=f"its status is {image.status}")
        if image.size is not None and image.size > self._size_max:
            raise exception.ImageUnacceptable(image_id=image_id, reason=f"it has more than {self._size_max} bytes")
        if isinstance(target, (str, os.PathLike)):
            download.to_path(self._glance, ctxt, image, os.fspath(target), self._size_max)
        else:
            download.Download(self._glance, image, target, self._size_max).run(ctxt)
        return image
