"""The folder that one test run shares between its workers, and what is left of runs that were killed."""

import atexit
import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

VARIABLE = "SALLYPORT_TEST_GROUND"
PREFIX = "sallyport-test-"
MEMORY = Path("/dev/shm")  # noqa: S108  folders inside it have random names and are ours alone
ENOUGH_BYTES = 2 * 1024**3
# The address of a unix socket is at most 107 bytes long, and a server adds its own name to the folder.
LONGEST = 70


def folder() -> Path:
    """Return the folder of this run; the first process to ask owns it and removes it at its end."""
    known = os.environ.get(VARIABLE)
    return Path(known) if known else _claim()


def move_to_memory() -> None:
    """Let every temporary file of a test run live in memory where there is room: a clone costs a tenth of one on disk.

    Measurements do not ask for this; they wait for the disk as a deployment does.
    """
    is_chosen = VARIABLE in os.environ or "TMPDIR" in os.environ
    if not is_chosen and _is_roomy(MEMORY):
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # asked anew


def _is_roomy(place: Path) -> bool:
    if not os.access(place, os.W_OK):
        return False
    state = os.statvfs(place)
    may_run_programs = not state.f_flag & os.ST_NOEXEC  # root starts its copy of the server from there
    return may_run_programs and state.f_bavail * state.f_frsize >= ENOUGH_BYTES


def _claim() -> Path:
    root = tempfile.gettempdir()
    if len(root) > LONGEST:
        root = "/tmp"  # noqa: S108  the folder inside it has a random name and is ours alone
    _sweep(Path(root))
    made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=root))
    made.chmod(0o711)  # root starts servers as somebody else, who has to pass through
    os.environ[VARIABLE] = str(made)
    atexit.register(_release, made)
    return made


def _release(made: Path) -> None:
    for record in made.glob("*/postmaster.pid"):
        _stop(int(record.read_text().split()[0]))
    shutil.rmtree(made, ignore_errors=True)


def _sweep(root: Path) -> None:
    for left in root.glob(f"{PREFIX}*"):
        owner = left.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and left.stat().st_uid == os.geteuid() and not _is_running(int(owner)):
            _release(left)


def _stop(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGQUIT)  # PostgreSQL's word for "now"; nothing here is kept
    for _ in range(200):
        if not _is_running(process):
            return
        time.sleep(0.01)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
