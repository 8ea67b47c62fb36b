"""What claims and ends a job, in statements that are built once: a worker runs nothing more often."""

from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, case, literal_column, or_, select, update

from console.domain.jobs import STALLED, JobState
from console.storage.job_tables import JobRow
from console.storage.prepared import Prepared
from console.storage.rows import table_of

_QUEUED, _RUNNING = JobState.QUEUED.value, JobState.RUNNING.value
# Word for word as the partial indexes say it, so that either database proves that they serve.
_IS_QUEUED: ColumnElement[bool] = literal_column("job.state = 'queued'")
_IS_RUNNING: ColumnElement[bool] = literal_column("job.state = 'running'")


@cache
def ended(moved: tuple[str, ...]) -> Prepared:
    """Return the fenced update that moves these columns, each given under its name after `new_`."""
    mine = update(_TABLE).where(
        _TABLE.c.id == bindparam("its_id"),
        _TABLE.c.state == _RUNNING,
        _TABLE.c.worker == bindparam("its_worker"),
        _TABLE.c.version == bindparam("its_version"),
    )
    return Prepared(mine.values({name.removeprefix("new_"): bindparam(name) for name in moved}))


def _free(*conditions: ColumnElement[bool]) -> Select[tuple[str]]:
    """Return the ids of jobs that nobody else is taking at this moment."""
    return select(_TABLE.c.id).where(*conditions).with_for_update(skip_locked=True)


_TABLE = table_of(JobRow)
_NOW: BindParameter[Any] = bindparam("now")
_MOST: BindParameter[int] = bindparam("most")
_HAS_LAPSED = and_(_TABLE.c.state == _RUNNING, _TABLE.c.lease_until <= _NOW)
LAPSED = Prepared(
    _free(_IS_RUNNING, _TABLE.c.lease_until <= _NOW).order_by(_TABLE.c.lease_until, _TABLE.c.id).limit(_MOST)
)
DUE = Prepared(_free(_IS_QUEUED, _TABLE.c.run_at <= _NOW).order_by(_TABLE.c.run_at, _TABLE.c.id).limit(_MOST))
ONE_FREE = Prepared(
    _free(
        _TABLE.c.id == bindparam("job"),
        or_(and_(_TABLE.c.state == _QUEUED, _TABLE.c.run_at <= _NOW), _HAS_LAPSED),
    )
)
START = Prepared(
    update(_TABLE)
    .where(_TABLE.c.id.in_(bindparam("jobs", expanding=True)))
    .values(
        attempts=case((_HAS_LAPSED, _TABLE.c.attempts + 1), else_=_TABLE.c.attempts),
        last_error=case((_HAS_LAPSED, STALLED), else_=_TABLE.c.last_error),
        state=_RUNNING,
        worker=bindparam("its_worker"),
        lease_until=bindparam("its_end"),
        version=_TABLE.c.version + 1,
    )
    .returning(*_TABLE.c)
)
