"""Which shape a database has, and whether it is the newest: asked at every start, so without Alembic."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

VERSION_TABLE = "sallyport_version"
CONTROL_HEADS = ("control@head", "plane@head")
PLANE_HEADS = ("plane@head",)

_REVISIONS = Path(__file__).parent / "migrations" / "versions"
_SEEN = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608  our own constant


def newest(heads: tuple[str, ...]) -> frozenset[str]:
    """Return the last revision of every named branch.

    Shape: a file is named <branch>_<number>_<word>.py, its revision <branch>_<number>; a test asks Alembic too.
    """
    branches = {head.partition("@")[0] for head in heads}
    known = sorted("_".join(file.stem.split("_")[:2]) for file in _REVISIONS.glob("*_[0-9]*_*.py"))
    return frozenset({name.partition("_")[0]: name for name in known if name.partition("_")[0] in branches}.values())


def revisions_of(connection: Connection) -> tuple[str, ...]:
    """Return the revisions that a database says it has; none where it was never set up."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return ()
    return tuple(sorted(connection.execute(_SEEN).scalars()))


def is_current(connection: Connection, *, heads: tuple[str, ...]) -> bool:
    """Return whether a database has reached the named heads."""
    return newest(heads) <= set(revisions_of(connection))
