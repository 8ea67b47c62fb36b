"""Let a tenant's administrator, or its own program, answer one question for consent: once, before its time is over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from console.domain.entries import ActorRef, TargetRef
from console.domain.ids import ReasonCode
from console.domain.reasons import Reason
from console.domain.staff import Origin
from console.domain.tenancy import DirectoryRow
from console.domain.trust.consents import Consent, ConsentState, ConsentVerdict
from console.domain.trust.links import LinkKind
from console.ports.store import ControlUnit
from console.usecases.access_lines import pseudonym_of, reason_labels
from console.usecases.customer_door import (
    Caller,
    Guest,
    NotAllowed,
    NotByProgram,
    NotKnown,
    TooOften,
    caller_in,
    guest_of,
    not_by_program,
    refuse_customer_in,
)
from console.usecases.house import House
from console.usecases.notices import tell
from console.usecases.recording import emit_as, row_ref

_LISTED = 50
_SEEN_BY_ASKER = NotByProgram(
    code="own_question", sentence="Whoever asks this has seen the token; an administrator answers by the letter's link."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A consent as the customer reads it: who by pseudonym, why, what, how long, and where it stands."""

    consent: Consent
    state: ConsentState
    staff: str
    reason: str
    tenant: DirectoryRow


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSuchQuestion:
    """The tenant was never asked that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLate:
    """It cannot be answered any more; the question says what became of it."""

    question: Question


def show_question(house: House, *, link: str, origin: Origin) -> Question | NoSuchQuestion | NotKnown | TooOften:
    """Return the question behind a link; looking decides nothing. Raises: OutsideError."""
    guest = guest_of(house, link, LinkKind.CONSENT, origin)
    if not isinstance(guest, Guest):
        return guest
    with house.store.write() as unit:
        consent = unit.consents.get(guest.link.subject)
        if consent is None or consent.tenant != guest.row.id:
            return NoSuchQuestion()
        _record(unit, guest.ref, "consent.read", consent, guest.row, at=house.clock.now(), origin=origin)
    return _question(house, consent, guest.row)


def decide_by_link(
    house: House, *, link: str, verdict: ConsentVerdict, origin: Origin
) -> Question | TooLate | NoSuchQuestion | NotKnown | TooOften:
    """Write an administrator's answer; the link is then used up. Raises: OutsideError."""
    guest = guest_of(house, link, LinkKind.CONSENT, origin)
    if not isinstance(guest, Guest):
        return guest
    with house.store.write() as unit:
        return _decided(
            house, unit, guest.ref, guest.row, consent_id=guest.link.subject, verdict=verdict, origin=origin
        )


def decide_by_token(
    house: House, *, token: str, consent: str, verdict: ConsentVerdict, origin: Origin
) -> Question | TooLate | NoSuchQuestion | NotKnown | TooOften | NotAllowed | NotByProgram:
    """Write the answer of a tenant's own program; nobody is answered by a token that was shown to them."""
    with house.store.write() as unit:
        caller = caller_in(house, unit, token, origin)
        if not isinstance(caller, Caller):
            return caller
        if not caller.token.may_decide:
            refuse_customer_in(house, unit, caller.ref, caller.row, because="this token may not decide", origin=origin)
            return NotAllowed()
        asked = unit.consents.get(consent)
        if asked is not None and asked.tenant == caller.row.id and asked.staff == caller.token.made_by:
            return not_by_program(house, unit, caller, _SEEN_BY_ASKER, origin=origin, consent=asked.id)
        return _decided(house, unit, caller.ref, caller.row, consent_id=consent, verdict=verdict, origin=origin)


def list_questions(
    house: House, *, token: str, origin: Origin
) -> Sequence[Question] | NotKnown | TooOften | NotAllowed:
    """Return a tenant's questions, newest first, to its own program."""
    with house.store.write() as unit:
        caller = caller_in(house, unit, token, origin)
        if not isinstance(caller, Caller):
            return caller
        if not caller.token.may_decide:
            refuse_customer_in(house, unit, caller.ref, caller.row, because="this token may not decide", origin=origin)
            return NotAllowed()
        asked = unit.consents.of_tenant(caller.row.id, limit=_LISTED)
        for each in asked[:1]:
            _record(unit, caller.ref, "consent.read", each, caller.row, at=house.clock.now(), origin=origin)
        return [_question(house, each, caller.row) for each in asked]


def _decided(
    house: House,
    unit: ControlUnit,
    who: ActorRef,
    row: DirectoryRow,
    *,
    consent_id: str,
    verdict: ConsentVerdict,
    origin: Origin,
) -> Question | TooLate | NoSuchQuestion:
    now = house.clock.now()
    consent = unit.consents.get(consent_id)
    if consent is None or consent.tenant != row.id:
        refuse_customer_in(house, unit, who, row, because="no such question", origin=origin)
        return NoSuchQuestion()
    is_open = consent.state_at(now) is ConsentState.PENDING
    if not is_open or not unit.consents.settle(consent, verdict.state, by=who.id or "", at=now):
        late = unit.consents.get(consent_id) or consent
        because = f"too late: the question is {late.state_at(now).value}"
        target = (TargetRef(type="consent", id=late.id),)
        refuse_customer_in(house, unit, who, row, because=because, origin=origin, targets=target)
        return TooLate(question=_question(house, late, row))
    done = replace(consent, state=verdict.state, version=consent.version + 1, decided_at=now, decided_by=who.id)
    entry = "consent.approved" if verdict is ConsentVerdict.APPROVE else "consent.refused"
    _record(unit, who, entry, done, row, at=now, origin=origin)
    tell(
        house,
        unit,
        consent.staff,
        kind="consent_decided",
        sentence=f"The customer has {verdict.state.value} your question for consent.",
        path=f"/t/{row.slug}/customer",
        at=now,
    )
    return _question(house, done, row)


def _question(house: House, consent: Consent, row: DirectoryRow) -> Question:
    return Question(
        consent=consent,
        state=consent.state_at(house.clock.now()),
        staff=pseudonym_of(house, consent.tenant, consent.staff),
        reason=reason_labels(house).get(consent.reason_code, consent.reason_code),
        tenant=row,
    )


def _record(
    unit: ControlUnit, who: ActorRef, action: str, consent: Consent, row: DirectoryRow, *, at: datetime, origin: Origin
) -> None:
    emit_as(
        unit,
        who,
        action,
        at=at,
        origin=origin,
        tenant=row_ref(row, source="link"),
        reason=Reason(code=ReasonCode(consent.reason_code), reference=consent.reference),
        targets=(TargetRef(type="consent", id=consent.id),),
        correlation=consent.id,
    )
