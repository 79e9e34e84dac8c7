"""``python -m transforms.surface [--check FILE]``."""

from __future__ import annotations

import sys
from pathlib import Path

from transforms.surface import BEHAVIOURS, SURFACE, render


def main(arguments: list[str]) -> int:
    """Prints the page, or compares a file with it (1 when they differ)."""
    page = render(SURFACE, BEHAVIOURS)
    if arguments[:1] == ["--check"] and len(arguments) == 2:
        if Path(arguments[1]).read_text(encoding="utf-8") == page:
            return 0
        sys.stderr.write(f"{arguments[1]} is out of date; run: python -m transforms.surface > {arguments[1]}\n")
        return 1
    sys.stdout.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
