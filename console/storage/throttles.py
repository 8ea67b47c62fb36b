"""Counters that slow guessing and browsing."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select, text
from sqlalchemy.orm import Session

from console.storage.control_tables import ThrottleRow
from console.storage.prepared import Prepared
from console.storage.rows import add, changed, done, found, table_of

_KEPT = timedelta(days=2)


class StoredThrottles:
    """The Throttles of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def count(self, bucket: str, key: str, *, since: datetime) -> int:
        """Return how often `hit` was called for the key since a moment."""
        return int(found(self._session, _COUNT, bucket=bucket, key=key, since=since)[0][0])

    def hit(self, bucket: str, key: str, *, at: datetime) -> None:
        """Count one event, and forget those of this key that are older than two days."""
        done(self._session, _FORGET, bucket=bucket, key=key, old=at - _KEPT)
        add(self._session, ThrottleRow, {"bucket": bucket, "key": key, "at": at})

    def take_back(self, bucket: str, key: str, *, at: datetime) -> None:
        """Forget one event that was counted at that moment."""
        done(self._session, _TAKE_BACK, bucket=bucket, key=key, at=at)

    def lock(self, bucket: str, key: str) -> None:
        """Let nobody else count this key until the unit ends; SQLite has one writer anyway."""
        if self._session.connection().dialect.name == "postgresql":
            wanted = text("SELECT pg_advisory_xact_lock(hashtextextended(:bucket || ' ' || :key, 0))")
            self._session.execute(wanted, {"bucket": bucket, "key": key})

    def take(self, bucket: str, *, before: datetime) -> Mapping[str, int]:
        """Return how many events each key of a bucket has from before a moment, and forget them."""
        gone = delete(ThrottleRow).where(ThrottleRow.bucket == bucket, ThrottleRow.at < before)
        keys = self._session.execute(
            gone.returning(ThrottleRow.key), execution_options={"synchronize_session": False}
        ).scalars()
        return Counter(keys)

    def sweep(self, *, now: datetime, limit: int) -> int:
        """Forget the oldest events that are beyond every window, of whatever key; return how many."""
        old = select(ThrottleRow.id).where(ThrottleRow.at < now - _KEPT).order_by(ThrottleRow.at).limit(limit)
        gone = self._session.scalars(old).all()
        return changed(self._session, delete(ThrottleRow).where(ThrottleRow.id.in_(gone))) if gone else 0

    def clear(self, bucket: str, key: str) -> None:
        """Forget the events of a key."""
        changed(self._session, delete(ThrottleRow).where(ThrottleRow.bucket == bucket, ThrottleRow.key == key))


_TABLE = table_of(ThrottleRow)
_FORGET = Prepared(
    delete(_TABLE).where(
        _TABLE.c.bucket == bindparam("bucket"), _TABLE.c.key == bindparam("key"), _TABLE.c.at < bindparam("old")
    )
)
_ITS_ID = select(func.min(_TABLE.c.id)).where(
    _TABLE.c.bucket == bindparam("bucket"), _TABLE.c.key == bindparam("key"), _TABLE.c.at == bindparam("at")
)
_TAKE_BACK = Prepared(delete(_TABLE).where(_TABLE.c.id == _ITS_ID.scalar_subquery()))
_COUNT = Prepared(
    select(func.count()).where(
        _TABLE.c.bucket == bindparam("bucket"), _TABLE.c.key == bindparam("key"), _TABLE.c.at >= bindparam("since")
    )
)
