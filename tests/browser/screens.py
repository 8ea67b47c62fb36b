"""Takes a screenshot of every page, light and dark, wide and narrow, into build/screens/, and runs axe-core on each."""

import shutil
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

from tests.browser.gallery import gallery
from tests.browser.looking import HOME_WIDTH, NARROW_WIDTH, THEMES, overflowing, show_as, violations
from tests.browser.navigator import chromium
from tests.browser.stage import made_world, raised

FOLDER = Path(__file__).resolve().parents[2] / "build" / "screens"


def main() -> int:
    """Take every picture; 1 when axe-core or a narrow screen finds fault."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    faults: list[str] = []
    taken, began = 0, time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="screens-") as var,
        made_world(Path(var) / "world") as world,
        raised(world, Path(var) / "copy") as stage,
        chromium() as browser,
    ):
        for name, page in gallery(browser, stage):
            for width, theme in product((HOME_WIDTH, NARROW_WIDTH), THEMES):
                show_as(page, theme=theme, width=width)
                page.evaluate("scrollTo(0, 0)")  # what sticks to the top would stand in the middle of the picture
                page.screenshot(path=FOLDER / f"{name}.{theme}.{width}.png", full_page=True, animations="disabled")
                is_new_to_axe = width == HOME_WIDTH or theme == THEMES[0]
                found = [*(violations(page) if is_new_to_axe else ()), *overflowing(page)]
                faults.extend(f"{name} ({theme}, {width} px): {fault}" for fault in found)
                taken += 1
            show_as(page, theme="light", width=HOME_WIDTH)
            sys.stdout.write(f"{name}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{taken} pictures in {FOLDER} after {time.monotonic() - began:.0f} s\n")
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
