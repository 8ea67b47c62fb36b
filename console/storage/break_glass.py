"""Uses of break-glass."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from console.domain.break_glass import GlassUse
from console.domain.ids import RequestId, StaffId, TenantId
from console.domain.requests import State
from console.storage.guard_tables import GlassUseRow
from console.storage.prepared import Prepared
from console.storage.request_tables import RequestRow
from console.storage.rows import add, found, table_of


class StoredGlass:
    """The GlassBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, use: GlassUse) -> None:
        """Store a use."""
        add(
            self._session,
            GlassUseRow,
            {
                "request": use.request,
                "tenant": use.tenant,
                "staff": use.staff,
                "name": use.name,
                "is_drill": use.is_drill,
                "reference": use.reference,
                "told": use.told,
                "at": use.at,
                "tainted_until": use.tainted_until,
            },
        )

    def of(self, request: RequestId) -> GlassUse | None:
        """Return the use behind a request."""
        return next((_use(row) for row in found(self._session, _OF, request=request)), None)

    def tainting(self, tenant: TenantId, at: datetime) -> GlassUse | None:
        """Return the newest use, no drill and not ended without effect, in whose shadow a tenant stood at a moment."""
        return next(
            (_use(row) for row in found(self._session, _TAINTING, tenant=tenant, moment=at, states=_DID_SOMETHING)),
            None,
        )


_TABLE, _REQUEST = table_of(GlassUseRow), table_of(RequestRow)
_DID_SOMETHING = [State.COUNTING_DOWN.value, State.EXECUTING.value, State.EXECUTED.value]  # or may do it yet
_OF = Prepared(select(_TABLE).where(_TABLE.c.request == bindparam("request")))
_TAINTING = Prepared(
    select(_TABLE)
    .join(_REQUEST, _REQUEST.c.id == _TABLE.c.request)
    .where(
        _REQUEST.c.state.in_(bindparam("states", expanding=True)),
        _TABLE.c.tenant == bindparam("tenant"),
        _TABLE.c.tainted_until > bindparam("moment"),
        _TABLE.c.at <= bindparam("moment"),
        _TABLE.c.is_drill.is_(False),
    )
    .order_by(_TABLE.c.tainted_until.desc())
    .limit(1)
)


def _use(row: Any) -> GlassUse:  # noqa: ANN401  a row, mapped or not
    return GlassUse(
        request=RequestId(row.request),
        tenant=TenantId(row.tenant),
        staff=StaffId(row.staff),
        name=row.name,
        is_drill=row.is_drill,
        reference=row.reference,
        told=row.told,
        at=row.at,
        tainted_until=row.tainted_until,
    )
