"""Bring a tenant's stored effective set up to date in the transaction that changed it, and tell the tenant once."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from console.domain.addressing import addressed, wants
from console.domain.changes import Applied, Change
from console.domain.effective_store import Recalculation, StoredSet
from console.domain.ids import DeliveryId, MessageId
from console.domain.webhooks import EndpointState, Message, MessageKind
from console.ports.action_tools import Tools
from console.ports.actions import Action
from console.ports.planes import TenantPlane
from console.usecases.house import House

EVENT = "entitlements.updated"


def recalculate_access(house: House, plane: TenantPlane, *, cause: str, now: datetime) -> Recalculation:
    """Recalculate inside the open transaction; where a row changes, write the one message that says so."""
    done = plane.recalculate(cause=cause, at=now)
    if done.is_written and done.effects.rows and not done.effects.is_first:
        _tell(house, plane, done.after, now=now)
    return done


def apply_with_access(house: House, action: Action[Any], params: object, tools: Tools) -> Applied:
    """Apply an action; one that moves what decides access leaves no stale set behind. Raises: Fault."""
    if tools.tenant is None or not action.moves_access:
        return action.apply(params, tools)
    tools.tenant.take_turn()
    before = tools.tenant.effective_set()
    applied = action.apply(params, tools)
    after = recalculate_access(house, tools.tenant, cause=action.key, now=tools.now).after
    if before is not None and before.version == after.version:
        return applied
    moved = Change(field="Effective set", before=_version(before), after=_version(after))
    return replace(applied, changes=(*applied.changes, moved))


def _version(stored: StoredSet | None) -> str | None:
    return None if stored is None else f"version {stored.version}"


def _tell(house: House, plane: TenantPlane, stored: StoredSet, *, now: datetime) -> None:
    """Write the message to whoever subscribes to it by name; a receiver of everything is not surprised with it."""
    book = plane.webhooks
    named = [each for each in book.endpoints() if each.event_types and wants(each, EVENT)]
    receivers = [each for each in named if each.state is not EndpointState.DISABLED]
    if not receivers:
        return
    message = Message(
        id=MessageId(house.ids.new("msg")),
        event_type=EVENT,
        kind=MessageKind.EVENT,
        payload=_payload(stored, now=now),
        created_at=now,
        expires_at=now + timedelta(days=house.book.sending.payload_days),
        subject=f"version {stored.version}",
    )
    book.add_message(
        message, [addressed(message, each, id=DeliveryId(house.ids.new("whd")), at=now) for each in receivers]
    )


def _payload(stored: StoredSet, *, now: datetime) -> bytes:
    data = {
        "version": stored.version,
        "valid_until": None if stored.valid_until is None else f"{stored.valid_until:%Y-%m-%dT%H:%M:%SZ}",
        "rows": [
            {
                "feature": row.feature,
                "value": row.value,
                "access": row.access,
                "hard": row.hard,
                "frozen": row.is_frozen,
            }
            for row in stored.rows
        ],
    }
    body = {"type": EVENT, "timestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}", "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
