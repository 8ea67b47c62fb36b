"""The row that counts a tenant's versions: made when first needed, moved whenever what decides access changes."""

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from console.domain.errors import ScopeError
from console.storage.guards import GuardedSession, Scoped
from console.storage.own_tables import AccountStateRow

FIRST_VERSION = 1


def ensure_state(session: GuardedSession) -> None:
    """Give the tenant its state row; two units at once meet on the key, and the later one goes on."""
    if session.scoped(_VERSION):
        return
    if session.scope is None:
        message = "A tenant-owned row was added without a scope."
        raise ScopeError(message)
    first = AccountStateRow(tenant_id=session.scope.tenant, version=FIRST_VERSION, entitlement_version=FIRST_VERSION)
    try:
        with session.begin_nested():
            session.add(first)
    except IntegrityError:
        session.expunge_all()


def take_turn(session: GuardedSession) -> None:
    """Wait until nobody else changes what decides this tenant's access, and keep others waiting until the unit ends.

    Shape: before any other row of what decides access, so that nobody waits in a circle.
    """
    ensure_state(session)
    session.scoped(TURN)


def move_entitlements(session: GuardedSession) -> None:
    """Say that what decides the tenant's entitlements has changed."""
    ensure_state(session)
    session.move(_MOVE)


TURN = Scoped(select(AccountStateRow.version).with_for_update())
_VERSION = Scoped(select(AccountStateRow.version))
_MOVE = Scoped(update(AccountStateRow).values(entitlement_version=AccountStateRow.entitlement_version + 1))
