"""Who a tenant is, what decides its access, and the effective set that its product reads: a part of a TenantPlane."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.exc import IntegrityError

from console.domain.bought import AS_IT_IS, Supposed
from console.domain.effective_store import Recalculation, StoredSet, recalculation
from console.domain.entitlements import Condition, Feature, Grant, Inputs
from console.domain.errors import ConflictError, NotFoundError
from console.domain.ids import TenantId
from console.domain.reconciling.books import UsageEvent
from console.domain.tenancy import TenantScope, TenantStatus
from console.domain.workspace import Account
from console.storage.account_state import FIRST_VERSION, TURN, move_entitlements, take_turn
from console.storage.bases import PlaneBase
from console.storage.bought import stored_bought
from console.storage.effective_sets import keep_effective_set, stored_effective_set, stored_usage_events
from console.storage.entitlement_inputs import stored_features, stored_inputs
from console.storage.faults import is_taken
from console.storage.grants import stored_grants
from console.storage.guards import GuardedSession, Scoped
from console.storage.own_tables import AccountStateRow, OverrideRow, OwnConditionRow
from console.storage.tenant_tables import AccountRow


class StoredAccess:
    """The account, its inputs and its effective set; the session adds the tenant to every statement."""

    def __init__(self, session: GuardedSession, scope: TenantScope, *, now: datetime) -> None:
        """Bind the scope. Raises: ScopeError when it has expired or another one is bound."""
        session.bind_scope(scope, now=now)
        self._session = session
        self._scope = scope

    @property
    def scope(self) -> TenantScope:
        """Return the scope that opened this."""
        return self._scope

    def account(self) -> Account:
        """Return the tenant's own row; raises NotFoundError."""
        rows = self._session.scoped(_ACCOUNT)
        if not rows:
            message = "The tenant has no account on its plane."
            raise NotFoundError(message, tenant=self._scope.tenant)
        row = rows[0]
        status, because = row.status, row.status_because
        if row.own_status is not None:
            status, because = row.own_status, row.own_because
        return Account(
            tenant=TenantId(row.tenant_id),
            name=row.name,
            status=TenantStatus(status),
            suspended_because=because,
            country=row.country,
            created_at=row.created_at,
            version=FIRST_VERSION if row.version is None else row.version,
            entitlement_version=FIRST_VERSION if row.entitlement_version is None else row.entitlement_version,
        )

    def features(self) -> Sequence[Feature]:
        """Return the features of the plane's catalogue."""
        return self._session.remembered("features", lambda: stored_features(self._session))

    def grants(self, feature: str | None = None) -> Sequence[Grant]:
        """Return what every source (ended overrides too) gives, for one feature or all."""
        found = stored_grants(self._session, bought=stored_bought(self._session))
        return [grant for grant in found if feature in {None, grant.feature}]

    def inputs(self, supposing: Supposed = AS_IT_IS) -> Inputs:
        """Return all that decides the tenant's entitlements, or would if links and mirror said what is supposed."""
        if supposing != AS_IT_IS:
            return stored_inputs(self._session, self.account(), supposing)
        return self._session.remembered("inputs", lambda: stored_inputs(self._session, self.account()))

    def effective_set(self) -> StoredSet | None:
        """Return the effective set that the product reads; None where none was ever stored."""
        return stored_effective_set(self._session)

    def store_effective_set(self, wanted: StoredSet, *, cause: str, expected: int | None) -> bool:
        """Store a set in place of version `expected` (None: of none); False means somebody was faster."""
        return keep_effective_set(self._session, wanted, cause=cause, expected=expected)

    def take_turn(self) -> None:
        """Wait until nobody else changes status, overrides or effective set of this tenant, and keep others waiting."""
        take_turn(self._session)

    def wait_for_turn(self) -> None:
        """Do as `take_turn`, for somebody who may yet be refused: nothing is written where nobody ever changed it."""
        self._session.scoped(TURN)

    def recalculate(self, *, cause: str, at: datetime) -> Recalculation:
        """Bring the stored set up to date, alone on this tenant until the transaction ends; up to date, do nothing."""
        self.take_turn()
        account, stored = self.account(), self.effective_set()
        inputs = stored_inputs(self._session, account)
        done = recalculation(stored, inputs, source_version=account.entitlement_version, now=at)
        expected = None if stored is None else stored.version
        if done.is_written and not self.store_effective_set(done.after, cause=cause, expected=expected):
            message = "Somebody else stored this tenant's effective set meanwhile."
            raise ConflictError(message)
        return done

    def usage_events(self, *, since: datetime, limit: int) -> Sequence[UsageEvent]:
        """Return raw events of use from a moment on, oldest first."""
        return stored_usage_events(self._session, since=since, limit=limit)

    def add_override(self, grant: Grant, *, by: str, at: datetime) -> None:
        """Store an override and move `entitlement_version`."""
        self._add(
            OverrideRow,
            id=grant.id,
            feature=grant.feature,
            label=grant.label,
            value=grant.value,
            starts_at=grant.starts_at,
            until=grant.until,
            ended_at=grant.ended_at,
            reference=grant.reference,
            granted_by=by,
            granted_at=at,
            op=grant.op.value,
            owner=grant.owner,
        )
        move_entitlements(self._session)

    def assign_override(self, override: str, *, owner: str, at: datetime) -> bool:
        """Give a live override another owner; False when it was not live."""
        return self._session.move(_ASSIGN, override=override, at=at, moved=owner) == 1

    def add_condition(self, condition: Condition, *, reference: str, by: str, at: datetime) -> None:
        """Store grace or the end of a coverage and move `entitlement_version`. Raises: ConflictError for a taken id."""
        self._add(
            OwnConditionRow,
            id=condition.id,
            kind=condition.kind.value,
            cause=condition.cause,
            starts_at=condition.starts_at,
            until=condition.until,
            reference=reference,
            set_by=by,
            set_at=at,
        )
        move_entitlements(self._session)

    def end_override(self, override: str, *, at: datetime) -> bool:
        """End a live override and move `entitlement_version`; False when it was not live."""
        if self._session.move(_END, override=override, at=at, moved=at) != 1:
            return False
        move_entitlements(self._session)
        return True

    def _add(self, row: type[PlaneBase], **values: object) -> None:
        try:
            self._session.put(row, **values)
        except IntegrityError as broken:
            if not is_taken(broken):
                raise
            message = "This plane has that row already."
            raise ConflictError(message) from broken


_LIVE = update(OverrideRow).where(
    OverrideRow.id == bindparam("override"),
    OverrideRow.ended_at.is_(None),
    or_(OverrideRow.until.is_(None), OverrideRow.until > bindparam("at", type_=OverrideRow.until.type)),
)
_ASSIGN = Scoped(_LIVE.values(owner=bindparam("moved")))
_END = Scoped(_LIVE.values(ended_at=bindparam("moved")))
_ACCOUNT = Scoped(
    select(
        AccountRow.tenant_id,
        AccountRow.name,
        AccountRow.status,
        AccountRow.status_because,
        AccountRow.country,
        AccountRow.created_at,
        AccountStateRow.version,
        AccountStateRow.entitlement_version,
        AccountStateRow.status.label("own_status"),
        AccountStateRow.status_because.label("own_because"),
    ).join_from(AccountRow, AccountStateRow, AccountStateRow.tenant_id == AccountRow.tenant_id, isouter=True)
)
