"""A durable PostgreSQL that outlives the run: its data stays in build/, its server stops with the benchmark."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import ground, postgres

_DATABASE = "bench"


@contextmanager
def running(home: Path) -> Iterator[str]:
    """Start the server on its folder, made on first use, and give the address of its one database."""
    programs = postgres._programs() / "bin"
    sockets = ground.folder() / f"bench-{os.getpid()}"
    sockets.mkdir(exist_ok=True)
    is_new = not (home / "PG_VERSION").exists()
    if postgres._is_root():
        shutil.chown(sockets, postgres.NOBODY)
    if is_new:
        home.mkdir(mode=0o700, exist_ok=True)
        if postgres._is_root():
            shutil.chown(home, postgres.NOBODY)
        choices = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        postgres._call(programs / "initdb", "--no-sync", "--pgdata", home, *choices)
    options = " ".join(f"-c {key}='{value}'" for key, value in postgres.SETTINGS.items())
    start = ["--wait", "--silent", "--timeout=60", "--options", f"-k {sockets} {options}"]
    postgres._call(programs / "pg_ctl", "start", "--pgdata", home, "--log", home / "server.log", *start)
    try:
        if is_new:
            postgres._run(postgres.address(sockets, "postgres"), "CREATE DATABASE {}", _DATABASE)
        yield postgres.address(sockets, _DATABASE)
    finally:
        postgres._call(programs / "pg_ctl", "stop", "--pgdata", home, "--mode=fast", "--silent", "--timeout=60")
