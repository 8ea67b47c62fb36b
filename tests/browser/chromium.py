"""Finds the Chromium of the system, or installs Debian's; nothing is ever downloaded from a browser vendor."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
INSTALL = (
    ("apt-get", "update", "-qq"),
    ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"),
)


class LaunchOptions(TypedDict):
    """What Playwright's `launch` has to be told here."""

    executable_path: str
    args: list[str]


class ChromiumMissingError(RuntimeError):
    """No Chromium, and no way to install one from here; the message says what to do."""


def find() -> Path | None:
    """Return the browser named by SALLYPORT_CHROMIUM, or the first one on the path."""
    named = os.environ.get("SALLYPORT_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


def launch_options() -> LaunchOptions:
    """Return the arguments of `playwright.chromium.launch`; raises ChromiumMissingError."""
    # The sandbox of Chromium refuses root, and the small shared memory of containers ends its pages.
    return {"executable_path": str(ensure()), "args": ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]}


def ensure() -> Path:
    """Return the browser, installing Debian's package first when that is possible; raises ChromiumMissingError."""
    found = find()
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        _install()
        found = find()
    if found is None or not found.exists():
        message = (
            "The browser tests need Chromium, and there is none. Install it (Debian, Ubuntu as root: "
            "apt-get install chromium), or name one: SALLYPORT_CHROMIUM=/path/to/chromium make test"
        )
        raise ChromiumMissingError(message)
    return found


def _install() -> None:
    sys.stdout.write("Installing Chromium for the browser tests (first time only, about a minute)\n")
    sys.stdout.flush()
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in INSTALL:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            message = f"{' '.join(command)} failed; the browser tests need Chromium:\n{done.stderr.strip()}"
            raise ChromiumMissingError(message)


def main() -> int:
    """Make sure that there is a browser; 0 when there is, 1 with a sentence when not."""
    try:
        ensure()
    except ChromiumMissingError as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
