"""The parts that connections play: fixed PostgreSQL roles, and what SQLite's authorizer forbids to each."""

import sqlite3
from collections.abc import Collection

from console.storage.engines import Authorizer, Part

APP_ROLE = "sallyport_app"
FLEET_ROLE = "sallyport_fleet"
SEQUENCER_ROLE = "sallyport_sequencer"
IMPORT_ROLE = "sallyport_import"
ROLES = (APP_ROLE, FLEET_ROLE, SEQUENCER_ROLE, IMPORT_ROLE)

EVENTS = "audit_event"
SEQUENCED = frozenset({"audit_seq", "audit_checkpoint", "audit_frontier"})
FROZEN = frozenset({EVENTS, "audit_seq", "audit_checkpoint", "request_revision"})
DIRECTORY = frozenset({"directory_tenant", "directory_key", "directory_name"})

# What the fleet may know of planes: whose turn it is, never what is said to whom or who may use what;
# and who links which customer.
TIMES = {
    "plane_webhook_endpoint": frozenset({"tenant_id", "id", "state", "claimed_until", "breaker_until"}),
    "plane_webhook_delivery": frozenset({"tenant_id", "endpoint", "due_at"}),
    "plane_webhook_message": frozenset({"tenant_id", "created_at", "fanned_at", "kept_until"}),
    "plane_billing_customer": frozenset({"tenant_id", "customer", "unlinked_at"}),
    "plane_effective_set": frozenset({"tenant_id", "valid_until"}),
    "plane_entitlement_override": frozenset({"tenant_id", "until", "ended_at"}),
}

_SCHEMA_CHANGES = frozenset(
    {
        sqlite3.SQLITE_ALTER_TABLE,
        sqlite3.SQLITE_ATTACH,
        sqlite3.SQLITE_CREATE_INDEX,
        sqlite3.SQLITE_CREATE_TABLE,
        sqlite3.SQLITE_CREATE_TRIGGER,
        sqlite3.SQLITE_CREATE_VIEW,
        sqlite3.SQLITE_CREATE_VTABLE,
        sqlite3.SQLITE_DETACH,
        sqlite3.SQLITE_DROP_INDEX,
        sqlite3.SQLITE_DROP_TABLE,
        sqlite3.SQLITE_DROP_TRIGGER,
        sqlite3.SQLITE_DROP_VIEW,
        sqlite3.SQLITE_DROP_VTABLE,
    }
)
_CHANGES = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_HARMLESS_PRAGMAS = frozenset({"data_version", "wal_checkpoint", "optimize", "table_info", "foreign_keys"})


def _declares_itself(action: int, table: str) -> bool:
    """Return whether this is how a virtual table names its columns; a real UPDATE needs a pragma that is refused."""
    return action == sqlite3.SQLITE_UPDATE and table == "sqlite_master"


def _guard(*, insertable: Collection[str], updatable: Collection[str] = ()) -> Authorizer:
    """Return an authorizer that keeps the trail append-only, whatever SQL reaches the connection."""
    guarded = FROZEN | SEQUENCED

    def decide(action: int, first: str | None, _second: str | None, _db: str | None, _trigger: str | None) -> int:
        if action in _SCHEMA_CHANGES:
            return sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_PRAGMA:
            return sqlite3.SQLITE_OK if first in _HARMLESS_PRAGMAS else sqlite3.SQLITE_DENY
        if action in _CHANGES and first is not None:
            if first.startswith("sqlite_") and first != "sqlite_sequence" and not _declares_itself(action, first):
                return sqlite3.SQLITE_DENY
            if first in guarded:
                is_open = (action == sqlite3.SQLITE_INSERT and first in insertable) or (
                    action == sqlite3.SQLITE_UPDATE and first in updatable
                )
                return sqlite3.SQLITE_OK if is_open else sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    return decide


def _directory_only(action: int, first: str | None, second: str | None, _db: str | None, _trigger: str | None) -> int:
    """Refuse to read anything but the directory and whose turn it is to be sent to, and to change anything at all."""
    if first is not None and _declares_itself(action, first):
        return sqlite3.SQLITE_OK
    if action in _SCHEMA_CHANGES or action in _CHANGES or action == sqlite3.SQLITE_PRAGMA:
        is_own_check = action == sqlite3.SQLITE_PRAGMA and first == "data_version"
        return sqlite3.SQLITE_OK if is_own_check else sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_READ and first is not None:
        is_directory = first in DIRECTORY or first.startswith(("directory_name_", "sqlite_"))
        is_time = first in TIMES and (not second or second in TIMES[first])
        return sqlite3.SQLITE_OK if is_directory or is_time else sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


APP = Part(role=APP_ROLE, authorizer=_guard(insertable={EVENTS, "request_revision"}))
FLEET = Part(role=FLEET_ROLE, authorizer=_directory_only)
SEQUENCER = Part(
    role=SEQUENCER_ROLE,
    authorizer=_guard(insertable={"audit_seq", "audit_checkpoint"}, updatable={"audit_frontier"}),
    statement_timeout_ms=60_000,
)
IMPORT = Part(
    role=IMPORT_ROLE,
    authorizer=_guard(insertable={EVENTS}),
    statement_timeout_ms=0,
    sqlite_cache_kib=262_144,  # rows arrive in no order of their keys
)
OWNER = Part(role=None, statement_timeout_ms=0)
