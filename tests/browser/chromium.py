"""Finds the Chromium of the system, or installs Debian's; nothing is ever downloaded from a browser vendor."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

SHELL = "chromium-headless-shell"  # the same Chromium without its windows: a quarter less time for a walk
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_APT = ("apt-get", "-qq", "-o", "Acquire::http::Timeout=10", "-o", "Acquire::Retries=1")
INSTALL = ((*_APT, "update"), (*_APT, "install", "-y", "--no-install-recommends", SHELL))
_LONGEST_WAIT_S = 60  # for something that only saves time


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
    if found is None and _can_install():
        _install(timeout_s=None)
        found = find()
    if found is None or not found.exists():
        message = (
            "The browser tests need Chromium, and there is none. Install it (Debian, Ubuntu as root: "
            f"apt-get install {SHELL}), or name one: SALLYPORT_CHROMIUM=/path/to/chromium make test"
        )
        raise ChromiumMissingError(message)
    return found


def _can_install() -> bool:
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def _install(*, timeout_s: float | None) -> None:
    sys.stdout.write("Installing Chromium for the browser tests (first time only, about a minute)\n")
    sys.stdout.flush()
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in INSTALL:
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False, timeout=timeout_s
            )
        except subprocess.TimeoutExpired:
            raise ChromiumMissingError(f"{' '.join(command)} took longer than {timeout_s:.0f} s.") from None
        if done.returncode:
            message = f"{' '.join(command)} failed; the browser tests need Chromium:\n{done.stderr.strip()}"
            raise ChromiumMissingError(message)


def _prefer_shell() -> None:
    """Fetch the quicker one where only another is there; without it the tests run as well."""
    is_chosen = "SALLYPORT_CHROMIUM" in os.environ
    if not is_chosen and find() is not None and shutil.which(SHELL) is None and _can_install():
        with suppress(ChromiumMissingError):
            _install(timeout_s=_LONGEST_WAIT_S)


def main() -> int:
    """Make sure that there is a browser; 0 when there is, 1 with a sentence when not."""
    try:
        _prefer_shell()
        ensure()
    except ChromiumMissingError as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
