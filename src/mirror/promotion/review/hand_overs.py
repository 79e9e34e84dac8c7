"""Every hand-over that production needs is present, and each missing one names the role that owes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mirror.located import Located, parse
from mirror.promotion.errors import PolicyError
from mirror.promotion.review import Answer, ReviewCase, Verdict
from mirror.promotion.review._wording import some

FILE = "ci/hand_overs.yml"
_FIELDS = ("name", "owed_by", "files", "keys", "words", "why")


def examine(case: ReviewCase) -> Answer:
    file = case.repository / FILE
    if not file.is_file():
        return Answer(Verdict.CANNOT_TELL, f"no list says what is to be handed over ({FILE})", FILE, "Write the list.")
    root = parse(file.read_text(encoding="utf-8"), FILE, PolicyError)
    entries = list(root.mapping(FILE, ("hand_overs",), ("hand_overs",))["hand_overs"].items("hand_overs"))
    gaps = [gap for entry in entries if (gap := _gap(entry, case.repository))]
    if gaps:
        return Answer(
            Verdict.BLOCKED, some(gaps), FILE, "Ask the named role for it; without it the release is blocked."
        )
    return Answer(Verdict.MET, f"{len(entries)} hand-overs present", FILE)


def _gap(entry: Located, repository: Path) -> str:
    """What is missing, with the role that owes it; empty when the hand-over is complete."""
    fields = entry.mapping("a hand-over", _FIELDS, ("name", "owed_by", "files", "why"))
    name, owed_by = fields["name"].text("name"), fields["owed_by"].text("owed_by")
    glob = fields["files"].text("files")
    found = [path for path in sorted(repository.glob(glob)) if path.is_file()]
    if not found:
        return f"{name}: no file {glob} (owed by {owed_by})"
    keys = fields["keys"].texts("keys") if "keys" in fields else ()
    words = fields["words"].texts("words") if "words" in fields else ()
    for path in found:
        text = path.read_text(encoding="utf-8")
        try:
            document = parse(text, path.relative_to(repository).as_posix(), PolicyError).value if keys else None
        except PolicyError as error:
            return f"{name}: {error} (owed by {owed_by})"
        missing = [key for key in keys if not _value(document, key)]
        missing += [word for word in words if word.lower() not in text.lower()]
        if not text.strip() or missing:
            what = f"says nothing about {', '.join(missing)}" if missing else "is empty"
            return f"{name}: {path.relative_to(repository).as_posix()} {what} (owed by {owed_by})"
    return ""


def _value(document: Any, key: str) -> Any:
    """The value at a dotted key, or ``None``."""
    for part in key.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document
