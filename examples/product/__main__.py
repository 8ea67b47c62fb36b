"""Serve Fieldnote on this machine: `python -m examples.product --port 8001 --data var/product`.

Who the console is stands in the environment (`SALLYPORT_KIT_CONSOLE` and so on). It waits until the console answers,
and loads itself only then: the console's own start is not slower beside it.
"""

import argparse
import http.client
import os
import threading
import time
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

_PATIENCE_S = 120.0
_NAP_S = 0.25


def main() -> None:
    """Read the command line, wait, serve until the process ends."""
    parser = argparse.ArgumentParser(prog="python -m examples.product")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="a folder with seed.json; the database is made in it")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for the console")
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started this one is gone")
    chosen = parser.parse_args()
    if chosen.with_parent:
        threading.Thread(target=_end_with, args=(os.getppid(),), name="parent", daemon=True).start()
    if not chosen.no_wait:
        wait_for(os.environ["SALLYPORT_KIT_CONSOLE"])
    import_module("examples.product.serving").serve(chosen.port, chosen.data, os.environ)


def wait_for(console: str) -> None:
    """Return when the console answers, or after two minutes without it: the product is there for members anyhow."""
    parts, until = urlsplit(console), time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(_NAP_S)


def _end_with(parent: int) -> None:
    """End this process once it has another parent: a killed console leaves no product behind that holds its port."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    main()
