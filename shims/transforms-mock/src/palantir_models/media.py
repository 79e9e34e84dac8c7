"""Images, plots, tables and names as experiments and evaluations accept them: checked, bounded, and turned into plain
data.
"""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

from palantir_models.errors import ExperimentError

MAX_NAME = 100
MAX_CAPTION = 200
MAX_TABLE_ROWS = 100_000
MAX_MEDIA_BYTES = 5 * 1024 * 1024
_PNG = b"\x89PNG\r\n\x1a\n"


def checked_name(name: object, what: str) -> str:
    """``name`` if it is a text of 1 to 100 characters. Raises ``ExperimentError`` otherwise."""
    if not isinstance(name, str) or not name.strip():
        raise ExperimentError(what, f"is named by a text, got {name!r}.")
    if len(name) > MAX_NAME:
        raise ExperimentError(what, f"name {name[:20]!r}... has {len(name)} characters; {MAX_NAME} is the most.")
    return name


def checked_caption(caption: str | None, what: str) -> str | None:
    """``caption`` if it is absent or at most 200 characters. Raises ``ExperimentError`` otherwise."""
    if caption is not None and len(caption) > MAX_CAPTION:
        raise ExperimentError(what, f"caption has {len(caption)} characters; {MAX_CAPTION} is the most.")
    return caption


def png_bytes(image: Any, what: str) -> bytes:
    """A PNG from its path, its bytes or a Pillow image. Raises ``ExperimentError`` for anything else."""
    if isinstance(image, str | Path):
        path = Path(image)
        if not path.is_file():
            raise ExperimentError(what, f"there is no image file {str(path)!r}.")
        data = path.read_bytes()
    elif isinstance(image, bytes):
        data = image
    elif type(image).__module__.split(".")[0] == "PIL" and hasattr(image, "save"):
        stream = io.BytesIO()
        image.save(stream, format="PNG")
        data = stream.getvalue()
    else:
        raise ExperimentError(
            what, f"{type(image).__name__} is no image.", "Give a PNG path, PNG bytes or a Pillow image."
        )
    if not data.startswith(_PNG):
        raise ExperimentError(what, "is not a PNG image.", "Save it as PNG first.")
    return data


def image_document(image: Any, what: str) -> dict[str, str]:
    """A PNG as a JSON document."""
    return {"png": base64.b64encode(png_bytes(image, what)).decode("ascii")}


def plot_document(plot: Any, what: str) -> dict[str, Any]:
    """A Plotly figure as its own JSON. Raises ``ExperimentError`` for anything else."""
    if type(plot).__module__.split(".")[0] != "plotly" or not hasattr(plot, "to_json"):
        raise ExperimentError(
            what, f"{type(plot).__name__} is no Plotly figure.", "Log other pictures as PNG with log_image."
        )
    return {"plotly": json.loads(plot.to_json())}


def table_document(table: Any, what: str) -> dict[str, Any]:
    """A pandas or Polars frame as columns and rows. Raises ``ExperimentError`` for other types or above 100,000
    rows.
    """
    package = type(table).__module__.split(".")[0]
    if package not in ("pandas", "polars") or not hasattr(table, "columns"):
        raise ExperimentError(what, f"{type(table).__name__} is no table.", "Give a pandas or Polars frame.")
    if len(table) > MAX_TABLE_ROWS:
        raise ExperimentError(what, f"has {len(table)} rows; {MAX_TABLE_ROWS} is the most.", "Log a sample of it.")
    if package == "pandas":
        text = table.to_json(orient="split", index=False, date_format="iso", default_handler=str)
        document: dict[str, Any] = json.loads(text)
        return {"columns": [str(c) for c in document["columns"]], "rows": document["data"]}
    rows = json.loads(json.dumps([list(r) for r in table.rows()], default=str))
    return {"columns": list(table.columns), "rows": rows}


def bounded(document: dict[str, Any], what: str) -> dict[str, Any]:
    """``document`` if its JSON stays below 5 MB. Raises ``ExperimentError`` otherwise."""
    size = len(json.dumps(document))
    if size > MAX_MEDIA_BYTES:
        raise ExperimentError(what, f"is {size / 1024 / 1024:.1f} MB; 5 MB is the most.")
    return document
