"""Identity of media items: a RID that depends on the media set and the path alone, and the JSON reference to it."""

from __future__ import annotations

import json
import mimetypes
import uuid
from dataclasses import dataclass

_NAMESPACE = uuid.UUID("5a7c1c0e-6a3f-5d0b-9a8e-0f1d2c3b4a59")
_PREFIX = "ri.mio.main.media-item."


@dataclass(frozen=True)
class MediaItem:
    """One item.

    Attributes:
        item: its RID (Foundry's name of the field on ``get_media_item_rid_by_path``).
        path: inside the media set.
    """

    item: str
    path: str


@dataclass(frozen=True)
class PutResponse:
    """What a write answers."""

    media_item_rid: str


@dataclass(frozen=True)
class MediaItemMetadata:
    """What a file itself says: its size in bytes and the media type of its name."""

    path: str
    size_bytes: int
    media_type: str


def item_rid(media_set_rid: str, path: str) -> str:
    """The RID of an item."""
    return _PREFIX + str(uuid.uuid5(_NAMESPACE, f"{media_set_rid}\0{path}"))


def media_type(path: str) -> str:
    """The media type that the file name stands for."""
    return mimetypes.guess_type(path)[0] or "application/octet-stream"


def reference_template(media_set_rid: str, view_rid: str) -> str:
    """A reference with ``{}`` where the item's RID belongs, for ``str.format``."""
    text = json.dumps(
        {
            "mimeType": "application/octet-stream",
            "reference": {
                "type": "mediaSetViewItem",
                "mediaSetViewItem": {
                    "mediaSetRid": media_set_rid,
                    "mediaSetViewRid": view_rid,
                    "mediaItemRid": "@item@",
                },
            },
        },
        separators=(",", ":"),
    )
    return text.replace("{", "{{").replace("}", "}}").replace("@item@", "{}")


def reference(media_set_rid: str, view_rid: str, path: str) -> str:
    """The JSON reference to one item."""
    return json.dumps(
        {
            "mimeType": media_type(path),
            "reference": {
                "type": "mediaSetViewItem",
                "mediaSetViewItem": {
                    "mediaSetRid": media_set_rid,
                    "mediaSetViewRid": view_rid,
                    "mediaItemRid": item_rid(media_set_rid, path),
                },
            },
        },
        separators=(",", ":"),
    )
