"""Which failures of a database are the outside world's, which are a row's, and how they are named."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from console.domain.errors import OutsideError, UncertainError

# SQLSTATEs that come as something else than an operational error: a server that went read-only, or that is broken.
_SERVER_TROUBLE = ("25006", "XX")
_PASSING_SQLITE = ("locked", "busy", "disk", "full", "unable to open", "readonly", "interrupted", "not a database")

# What SQLAlchemy calls the next use of a connection that was lost inside its transaction, as leaving a savepoint is.
_GONE = "8s2b"

_UNIQUE_POSTGRESQL = "23505"
_UNIQUE_SQLITE = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")


def is_outside(broken: exc.SQLAlchemyError) -> bool:
    """Return whether the database did not answer, as opposed to being asked something wrong."""
    if isinstance(broken, exc.TimeoutError):
        return True
    if isinstance(broken, exc.PendingRollbackError) and broken.code == _GONE:
        return True
    if not isinstance(broken, exc.DBAPIError):
        return False
    if broken.connection_invalidated or isinstance(broken, exc.InterfaceError):
        return True
    if (getattr(broken.orig, "sqlstate", None) or "").startswith(_SERVER_TROUBLE):
        return True
    if not isinstance(broken, exc.OperationalError) and type(broken) is not exc.DatabaseError:
        return False
    if type(broken.orig).__module__ != "sqlite3":
        return isinstance(broken, exc.OperationalError)
    return any(word in str(broken.orig).lower() for word in _PASSING_SQLITE)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn failures of the outside world into OutsideError; let everything else through."""
    try:
        yield
    except exc.SQLAlchemyError as broken:
        refuse_if_outside(broken, what)
        raise


def refuse_if_outside(broken: exc.SQLAlchemyError, what: str, *, is_committing: bool = False) -> None:
    """Raise OutsideError when the database did not answer: an UncertainError where it was told to commit."""
    if is_outside(broken) and is_committing:
        message = f"The {what} does not say whether it was kept."
        raise UncertainError(message, permanent=False) from broken
    if is_outside(broken):
        message = f"The {what} does not answer."
        raise OutsideError(message, permanent=False) from broken


def is_taken(broken: exc.IntegrityError) -> bool:
    """Return whether a row's key is held by another row, as opposed to any other rule of a table."""
    if getattr(broken.orig, "sqlstate", None) == _UNIQUE_POSTGRESQL:
        return True
    return getattr(broken.orig, "sqlite_errorname", None) in _UNIQUE_SQLITE


def broken_rule(broken: exc.IntegrityError) -> str:
    """Return which rule of which table a row breaks, in the database's words; they name columns and no values."""
    diagnosis = getattr(broken.orig, "diag", None)
    return str(getattr(diagnosis, "message_primary", None) or broken.orig)
