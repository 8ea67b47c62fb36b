"""Processes of our own that are there at once: forked from one that has imported everything, not started from nothing.

A process that is to be killed lives for a moment, and importing the house takes longer than that. What is forked here
shares nothing with the tests: its parent is a fresh interpreter that imported these modules and did nothing else.
"""

import multiprocessing
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import IO

PRELOADED = (
    "tests.integration.kill_world",
    "tests.integration.served_world",
    "tests.integration.sending_world",
    "tests.integration.write_kill_world",
    "tests.kit.spool_world",
)
_STDOUT, _STDERR = 1, 2


def started(
    work: Callable[..., None], *arguments: object, said: Path, environ: Mapping[str, str] | None = None
) -> tuple[ForkServerProcess, IO[str]]:
    """Start a process that does this work, and return it with what it writes to stdout; stderr goes to a file.

    Shape: `work` is a function of a module; `environ` takes the place of the whole environment.
    """
    heard, told = os.pipe()
    with closing(Connection(told, readable=False)) as end:
        process = _nursery().Process(target=_live, args=(end, str(said), environ, work, arguments), daemon=True)
        process.start()
    return process, os.fdopen(heard)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def _nursery() -> ForkServerContext:
    nursery = multiprocessing.get_context("forkserver")
    nursery.set_forkserver_preload(list(PRELOADED))
    return nursery


def _live(
    end: Connection, said: str, environ: Mapping[str, str] | None, work: Callable[..., None], arguments: tuple[object]
) -> None:
    with closing(end), Path(said).open("w", encoding="utf-8") as errors:
        os.dup2(end.fileno(), _STDOUT)
        os.dup2(errors.fileno(), _STDERR)
    if environ is not None:
        os.environ.clear()
        os.environ.update(environ)
    work(*arguments)
