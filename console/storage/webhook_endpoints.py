"""Endpoints and their keys, one tenant's; the first part of its WebhookBook."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import BigInteger, bindparam, case, func, or_, select, type_coerce, update
from sqlalchemy.exc import IntegrityError

from console.domain.errors import ConflictError
from console.domain.ids import EndpointId
from console.domain.webhooks import AttemptOutcome, Bucket, Endpoint, EndpointKey, EndpointState, Health
from console.storage.bases import PlaneBase
from console.storage.guards import GuardedSession, Scoped
from console.storage.rows import changed
from console.storage.types import moment_of
from console.storage.webhook_rows import HEALTH, endpoint_values, health_values, shown_endpoint, shown_key
from console.storage.webhook_tables import AttemptRow, EndpointKeyRow, EndpointRow, TenantBucketRow

_HOUR_US = 3_600_000_000


class StoredEndpoints:
    """Endpoints, keys and health; the session adds the tenant to every statement."""

    def __init__(self, session: GuardedSession) -> None:
        """Work inside the unit's transaction and scope."""
        self._session = session

    def endpoints(self, *, with_deleted: bool = False) -> Sequence[Endpoint]:
        """Return the endpoints in order of creation."""
        hidden = "" if with_deleted else EndpointState.DELETED.value
        return [shown_endpoint(row) for row in self._session.scoped(_ENDPOINTS, hidden=hidden)]

    def endpoint(self, endpoint: EndpointId) -> Endpoint | None:
        """Return one endpoint, deleted ones too."""
        return next((shown_endpoint(row) for row in self._session.scoped(_ENDPOINT, id=endpoint)), None)

    def add_endpoint(self, endpoint: Endpoint) -> None:
        """Store a new endpoint. Raises: ConflictError."""
        same = {"id": endpoint.id, "created_at": endpoint.created_at, "version": endpoint.version}
        self._insert(EndpointRow, [{**same, **endpoint_values(endpoint)}])

    def change_endpoint(self, endpoint: Endpoint, *, version: int) -> bool:
        """Write all fields but the claim by one conditional update on `version`, which moves; False: was faster."""
        fenced = update(EndpointRow).where(EndpointRow.id == endpoint.id, EndpointRow.version == version)
        return changed(self._session, fenced.values({**endpoint_values(endpoint), "version": version + 1})) == 1

    def keys(self, endpoint: EndpointId, *, now: datetime) -> Sequence[EndpointKey]:
        """Return the keys that sign now, newest first."""
        return [shown_key(row) for row in self._session.scoped(_KEYS, endpoint=endpoint, now=now)]

    def add_key(self, key: EndpointKey, *, older_until: datetime) -> None:
        """Store a new key and let every older live one end at `older_until`, or when it would have ended before."""
        outlasting = or_(EndpointKeyRow.expires_at.is_(None), EndpointKeyRow.expires_at > older_until)
        older = update(EndpointKeyRow).where(EndpointKeyRow.endpoint == key.endpoint, outlasting)
        changed(self._session, older.values(expires_at=older_until))
        row = {
            "id": key.id,
            "endpoint": key.endpoint,
            "algorithm": key.algorithm.value,
            "sealed": key.sealed,
            "public": key.public,
            "created_at": key.created_at,
            "expires_at": key.expires_at,
        }
        self._insert(EndpointKeyRow, [row])

    def health(self, endpoint: EndpointId, *, since: datetime, until: datetime) -> Sequence[Health]:
        """Return attempts by hour in [since, until), oldest first, hours without any left out."""
        hour = (type_coerce(AttemptRow.started_at, BigInteger) // _HOUR_US).label("hour")
        good = func.sum(case((AttemptRow.outcome == AttemptOutcome.SUCCESS.value, 1), else_=0))
        wanted = select(hour, good, func.count()).where(
            AttemptRow.endpoint == endpoint, AttemptRow.started_at >= since, AttemptRow.started_at < until
        )
        return [
            Health(hour=moment_of(int(number) * _HOUR_US), succeeded=int(succeeded), failed=int(tried - succeeded))
            for number, succeeded, tried in self._session.execute(wanted.group_by(hour).order_by(hour))
        ]

    def claim_endpoint(self, endpoint: EndpointId, *, by: str, now: datetime, until: datetime) -> bool:
        """Take an endpoint for one sender; False while another one's claim has not lapsed."""
        return self._session.move(_CLAIMED, whose=endpoint, holder=by, now=now, until=until) == 1

    def release_endpoint(self, endpoint: Endpoint, *, by: str) -> None:
        """Give an endpoint back, with the health, bucket and breaker that the sender leaves behind."""
        values = {f"{_NEW}{name}": value for name, value in health_values(endpoint).items()}
        self._session.move(_RELEASED, whose=endpoint.id, holder=by, **values)

    def tenant_bucket(self) -> Bucket | None:
        """Return the bucket of all endpoints of this tenant together, locked until the transaction ends."""
        found = self._session.scoped(_BUCKET)
        return Bucket(tokens=found[0].tokens, at=found[0].at) if found else None

    def keep_tenant_bucket(self, bucket: Bucket) -> None:
        """Write the bucket of all endpoints together."""
        values = {"tokens": bucket.tokens, "at": bucket.at}
        if self._session.move(_BUCKET_KEPT, left=bucket.tokens, since=bucket.at) == 1:
            return
        try:
            self._insert(TenantBucketRow, [values])
        except ConflictError:  # another sender was first
            self._session.move(_BUCKET_KEPT, left=bucket.tokens, since=bucket.at)

    def _insert(self, row: type[PlaneBase], rows: Sequence[Mapping[str, object]]) -> None:
        try:
            with self._session.connection().begin_nested():
                self._session.add_rows(row, rows)
        except IntegrityError as taken:
            message = "This plane has that row already."
            raise ConflictError(message) from taken


_NEW = "new_"  # a value may not be called as the column that it is written to
_HOLDER = bindparam("holder", type_=EndpointRow.claimed_by.type)
_CLAIMED = Scoped(
    update(EndpointRow)
    .where(
        EndpointRow.id == bindparam("whose"),
        or_(
            EndpointRow.claimed_until.is_(None),
            EndpointRow.claimed_until <= bindparam("now"),
            EndpointRow.claimed_by == _HOLDER,
        ),
    )
    .values(claimed_by=_HOLDER, claimed_until=bindparam("until", type_=EndpointRow.claimed_until.type))
)
_RELEASED = Scoped(
    update(EndpointRow)
    .where(EndpointRow.id == bindparam("whose"), EndpointRow.claimed_by == _HOLDER)
    .values(
        {name: bindparam(f"{_NEW}{name}", type_=getattr(EndpointRow, name).type) for name in HEALTH}
        | {"claimed_by": None, "claimed_until": None}
    )
)
_BUCKET = Scoped(select(TenantBucketRow).with_for_update())
_BUCKET_KEPT = Scoped(
    update(TenantBucketRow).values(
        tokens=bindparam("left", type_=TenantBucketRow.tokens.type),
        at=bindparam("since", type_=TenantBucketRow.at.type),
    )
)
_ENDPOINTS = Scoped(
    select(EndpointRow).where(EndpointRow.state != bindparam("hidden")).order_by(EndpointRow.created_at, EndpointRow.id)
)
_ENDPOINT = Scoped(select(EndpointRow).where(EndpointRow.id == bindparam("id")))
_KEYS = Scoped(
    select(EndpointKeyRow)
    .where(
        EndpointKeyRow.endpoint == bindparam("endpoint"),
        or_(EndpointKeyRow.expires_at.is_(None), EndpointKeyRow.expires_at > bindparam("now")),
    )
    .order_by(EndpointKeyRow.created_at.desc(), EndpointKeyRow.id.desc())
)
