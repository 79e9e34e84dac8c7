"""Values that are named in settings and looked up when they are needed: never written down, printed or stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mirror.health.delivery.sinks.sink import NotDeliveredError, Surroundings


@dataclass(frozen=True)
class Secret:
    """``{env = "NAME"}`` or ``{file = "PATH"}``; a relative path starts at the workspace."""

    what: str
    surroundings: Surroundings = field(repr=False)
    env: str = ""
    file: str = ""

    @classmethod
    def parse(cls, what: str, value: object, surroundings: Surroundings) -> Secret:
        """Raises ValueError for anything but one such reference; the value itself is not repeated in the message."""
        if isinstance(value, dict) and len(value) == 1:
            ((where, name),) = value.items()
            if where in ("env", "file") and isinstance(name, str) and name:
                return cls(what, surroundings, **{where: name})
        raise ValueError(f'{what} is a secret: write {{env = "NAME"}} or {{file = "PATH"}}, not the value itself')

    def reveal(self) -> str:
        """The value. Raises NotDeliveredError naming the variable or file where it should be."""
        if self.env:
            found = self.surroundings.environment.get(self.env, "")
            where = f"the environment variable {self.env}"
        else:
            path = self.surroundings.folder / Path(self.file).expanduser()
            where = f"the file {path}"
            try:
                found = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                found = ""
        if not found.strip():
            raise NotDeliveredError(f"{where}, which should hold the {self.what}, is missing or empty", False)
        return found.strip()
