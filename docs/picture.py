"""The picture of the report in the README: `python docs/picture.py`, after `make run` and with Chromium installed.

Opens the report of the workspace as a reader would and keeps the first screens as docs/images/report.png.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "report.png"
SIZE = (1280, 1800)
# The page has few colours; with a palette the picture weighs a third.
COLOURS = 128


def main(report: Path) -> int:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.stderr.write("no Chromium found; get one with `apt-get install chromium` (Debian)\n")
        return 2
    if not report.is_file():
        sys.stderr.write(f"there is no report at {report}; `make run` or `mirror report` writes it\n")
        return 2
    with TemporaryDirectory(prefix="mirror-picture-") as folder:
        shot = Path(folder) / "shot.png"
        size = f"--window-size={SIZE[0]},{SIZE[1]}"
        quiet = ("--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={folder}/profile")
        subprocess.run([chromium, *quiet, size, f"--screenshot={shot}", report.resolve().as_uri()], check=True)
        with Image.open(shot) as image:
            image.convert("RGB").quantize(COLOURS).save(PICTURE, optimize=True)
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".mirror" / "report" / "report.html"))
