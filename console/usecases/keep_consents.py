"""Remind tenants of questions for consent before they end, and refuse by the clock what nobody answered."""

from datetime import datetime, timedelta

from console.domain.entries import SYSTEM_ACTOR, TargetRef
from console.domain.ids import ReasonCode
from console.domain.reasons import Reason
from console.domain.trust.consents import Consent, ConsentState
from console.domain.trust.letters import LetterKind
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.notices import tell
from console.usecases.queue_letters import queue_letter
from console.usecases.recording import emit_as, tenant_ref

_BATCH = 100
_HALF = 2


def keep_consents(house: House) -> int:
    """Write what the clock decided and queue what has to be said; return how many questions were moved."""
    now = house.clock.now()
    soon = now + timedelta(hours=house.book.limits.consent_remind_hours)
    with house.store.read() as unit:
        ending = unit.consents.pending(now=now, before=soon, limit=_BATCH)
    if not ending:
        return 0
    with house.store.write() as unit:
        return sum(_kept(house, unit, consent, now) for consent in ending)


def _kept(house: House, unit: ControlUnit, consent: Consent, now: datetime) -> bool:
    if now >= consent.decide_by:
        if not unit.consents.settle(consent, ConsentState.EXPIRED, by="clock", at=now):
            return False
        _record(unit, "consent.expired", consent, now)
        sentence = "Nobody at the customer answered your question for consent: that refuses it."
        tell(house, unit, consent.staff, kind="consent_expired", sentence=sentence, path="/tenants", at=now)
        return True
    half = consent.asked_at + (consent.decide_by - consent.asked_at) / _HALF
    if now < half or consent.reminded_at is not None or not unit.consents.reminded(consent, at=now):
        return False
    queue_letter(house, unit, consent.tenant, LetterKind.CONSENT_REMINDER, about=consent.id, at=now)
    _record(unit, "consent.reminded", consent, now)
    return True


def _record(unit: ControlUnit, action: str, consent: Consent, now: datetime) -> None:
    emit_as(
        unit,
        SYSTEM_ACTOR,
        action,
        at=now,
        tenant=tenant_ref(unit, consent.tenant, source="consent"),
        reason=Reason(code=ReasonCode(consent.reason_code), reference=consent.reference),
        targets=(TargetRef(type="consent", id=consent.id),),
        correlation=consent.id,
    )
