"""Takes a screenshot of every page, light and dark, wide and narrow, into build/screens/, and runs axe-core on each."""

import os
import shutil
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.chromium import launch_options
from tests.browser.gallery import gallery
from tests.browser.looking import HOME_WIDTH, NARROW_WIDTH, THEMES, overflowing, show_as, violations
from tests.browser.stage import raised

FOLDER = Path(__file__).resolve().parents[2] / "build" / "screens"
_LANGUAGE = {**os.environ, "LANGUAGE": "en_US"}


def main() -> int:
    """Take every picture; 1 when axe-core or a narrow screen finds fault."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    faults: list[str] = []
    taken, began = 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sallyport-screens-") as var, raised(Path(var)) as stage:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(**launch_options(), env=_LANGUAGE)
            for name, page in gallery(browser, stage):
                for width, theme in product((HOME_WIDTH, NARROW_WIDTH), THEMES):
                    show_as(page, theme=theme, width=width)
                    page.screenshot(path=FOLDER / f"{name}.{theme}.{width}.png", full_page=True, animations="disabled")
                    found = [*violations(page), *overflowing(page)]
                    faults.extend(f"{name} ({theme}, {width} px): {fault}" for fault in found)
                    taken += 1
                show_as(page, theme="light", width=HOME_WIDTH)
                sys.stdout.write(f"{name}\n")
                sys.stdout.flush()
            browser.close()
    sys.stdout.write(f"{taken} pictures in {FOLDER} after {time.monotonic() - began:.0f} s\n")
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
