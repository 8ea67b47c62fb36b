"""Write letters to customers and hand them to the sinks: at least once, and never in the way of anything else."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from console.domain.decisions import Fact
from console.domain.entries import SYSTEM_ACTOR, TargetRef
from console.domain.errors import OutsideError
from console.domain.ids import MemberId
from console.domain.moments import minute_of
from console.domain.tenancy import DirectoryRow
from console.domain.trust.access_policy import Notify
from console.domain.trust.consents import ConsentState
from console.domain.trust.letters import Letter, LetterKind, Way
from console.domain.trust.links import Link, LinkKind
from console.domain.workspace import Member
from console.ports.customer_letters import Envelope, LetterSink
from console.ports.store import ControlUnit
from console.usecases.access_lines import ShownAccess, access_lines, pseudonym_of
from console.usecases.house import House
from console.usecases.recording import emit_as, row_ref
from console.usecases.scopes import scope_of_sender, tenant_data

_BATCH = 50
_MOST_RECEIVERS = 20
_MOST_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """What a letter says; `link` is what an administrator may answer by. Shape: `facts` go to programs."""

    subject: str
    text: str
    facts: dict[str, object]
    link: LinkKind | None = None
    about: str = ""
    until: datetime | None = None


def deliver_letters(house: House, sink: LetterSink, *, address: str) -> int:
    """Deliver what is due and return how many letters were settled; `address` is where customers reach the console."""
    now = house.clock.now()
    with house.store.read() as unit:
        due = unit.letters.due(now, limit=_BATCH)
    for letter in due:
        try:
            sent = _delivered(house, sink, letter, address=address)
        except OutsideError as away:
            _failed(house, letter, away)
        else:
            _settled(house, letter, sent)
    return len(due)


def _delivered(house: House, sink: LetterSink, letter: Letter, *, address: str) -> int:
    """Send a letter to everybody whom it goes to and return how many there were. Raises: OutsideError.

    Shape: one who cannot be reached keeps it from nobody else; it is sent again while somebody may still be reached.
    """
    with house.store.read() as unit:
        row = unit.directory.get(letter.tenant)
        text = None if row is None else _text(house, unit, row, letter)
        webhook = unit.letters.webhook(letter.tenant)
    if row is None or text is None:
        return 0  # there is nothing to say any more
    if letter.way is Way.WEBHOOK:
        if webhook is None:
            return 0
        facts = {"tenant": row.id, **text.facts}
        sink.send(replace(_envelope(letter, webhook.url, text), facts=facts, secret=webhook.secret_sealed))
        return 1
    away: list[OutsideError] = []
    members = _administrators(house, row)
    for member in members:
        written = f"{text.text}\n\n{_links(house, row, member.id, text, address=address)}"
        envelope = _envelope(letter, member.email, text)
        try:
            sink.send(replace(envelope, id=f"{letter.id}-{member.id}", text=written))
        except OutsideError as one:
            away.append(one)
    passing = [each for each in away if not each.permanent]
    if passing or (away and len(away) == len(members)):
        raise (passing or away)[0]
    return len(members) - len(away)


def _administrators(house: House, row: DirectoryRow) -> list[Member]:
    scope = scope_of_sender(row.id, row.plane, now=house.clock.now())
    with house.store.read() as unit, tenant_data(house, unit, scope) as plane:
        return list(plane.administrators(limit=_MOST_RECEIVERS))


def _text(house: House, unit: ControlUnit, row: DirectoryRow, letter: Letter) -> _Text | None:
    match letter.kind:
        case LetterKind.ACCESS | LetterKind.DIGEST:
            return _of_accesses(house, unit, row, letter)
        case LetterKind.CONSENT | LetterKind.CONSENT_REMINDER | LetterKind.CONSENT_DECIDED:
            return _of_consent(house, unit, letter)
        case LetterKind.POLICY_CHANGED:
            policy = unit.access_policies.of(row.id)
            said = f"Impersonation: {policy.impersonation.value}. Letters: {policy.notify.value}."
            facts: dict[str, object] = {"impersonation": policy.impersonation.value, "notify": policy.notify.value}
            return _Text(subject="Your access policy was changed", text=said, facts=facts)
        case _:
            assert_never(letter.kind)


def _of_accesses(house: House, unit: ControlUnit, row: DirectoryRow, letter: Letter) -> _Text | None:
    if unit.access_policies.of(row.id).notify is Notify.NONE:
        return None
    first = int(letter.about)
    most = 1 if letter.kind is LetterKind.ACCESS else _MOST_LINES
    shown = unit.disclosures.shown_after(row.id, number=first - 1, limit=most + 1)
    lines = access_lines(house, unit, shown[:most])
    if not lines:
        return None
    is_cut = letter.kind is LetterKind.DIGEST and len(shown) > most
    many = "" if len(lines) == 1 else f": {'more than ' if is_cut else ''}{len(lines)} accesses"
    rest = f"\nThere are more: your access log has all of them, from number {shown[most].number} on." if is_cut else ""
    return _Text(
        subject=f"Our staff reached your data{many}",
        text="\n".join(_line(each) for each in lines) + rest,
        facts={
            "numbers": [each.disclosure.number for each in lines],
            "lines": [_line(each) for each in lines],
            "is_cut": is_cut,
        },
    )


def _line(each: ShownAccess) -> str:
    line = each.line
    country = f" ({line.country})" if line.country else ""
    why = f"{line.reason}, {line.reference}" if line.reference else line.reason
    return f"{minute_of(line.at)}, {line.staff}{country}: {line.did}. Why: {why}. Outcome: {line.outcome}."


def _of_consent(house: House, unit: ControlUnit, letter: Letter) -> _Text | None:
    consent = unit.consents.get(letter.about)
    if consent is None or consent.state_at(house.clock.now()) is not ConsentState.PENDING:
        return None
    staff = pseudonym_of(house, consent.tenant, consent.staff)
    is_again = letter.kind is LetterKind.CONSENT_REMINDER
    said = (
        f"{_quoted(consent.what)}\n\n"
        f"Asked by {staff} for {consent.reference}; {consent.mode}, {consent.minutes} minutes.\n"
        f"Answer until {minute_of(consent.decide_by)}. Silence is a refusal."
    )
    return _Text(
        subject="Reminder: may we do this?" if is_again else "May we do this?",
        text=said,
        facts={
            "consent": consent.id,
            "what": consent.what,
            "staff": staff,
            "reference": consent.reference,
            "decide_by": consent.decide_by.isoformat(),
        },
        link=LinkKind.CONSENT,
        about=consent.id,
        until=consent.decide_by,
    )


def _quoted(text: str) -> str:
    """Return what one of us wrote so that no line of it can pass for one of the letter's own."""
    return "\n".join(f"> {line}" for line in text.splitlines())


def _links(house: House, row: DirectoryRow, member: MemberId, text: _Text, *, address: str) -> str:
    """Return the lines with links; each is signed for this one reader."""
    now = house.clock.now()
    with house.store.read() as unit:
        version = str(unit.access_policies.of(row.id).version)
    rules = Link(
        kind=LinkKind.POLICY,
        tenant=row.id,
        member=member,
        subject=version,
        until=now + timedelta(days=house.book.limits.customer_link_days),
    )
    log = replace(rules, kind=LinkKind.LOG, subject="0")
    lines = [
        f"Every access of our staff: {address}/customer/log/{_signed(house, log)}",
        f"What our staff may do, and how you are told: {address}/customer/policy/{_signed(house, rules)}",
    ]
    if text.link is LinkKind.CONSENT and text.until is not None:
        answer = Link(kind=text.link, tenant=row.id, member=member, subject=text.about, until=text.until)
        lines.insert(0, f"Read and answer: {address}/customer/consents/{_signed(house, answer)}")
    return "\n".join(lines)


def _signed(house: House, link: Link) -> str:
    return link.signed(house.fingerprints.of)


def _envelope(letter: Letter, to: str, text: _Text) -> Envelope:
    return Envelope(
        id=letter.id,
        way=letter.way,
        kind=letter.kind,
        to=to,
        subject=text.subject,
        text=text.text,
        facts=text.facts,
        at=letter.at,
    )


def _settled(house: House, letter: Letter, receivers: int) -> None:
    with house.store.write() as unit:
        if unit.letters.sent(letter.id, at=house.clock.now()) and receivers:
            facts: dict[str, Fact] = {"kind": letter.kind.value, "way": letter.way.value, "receivers": receivers}
            _record(house, unit, "letter.sent", letter, error=None, facts=facts)


def _failed(house: House, letter: Letter, away: OutsideError) -> None:
    now = house.clock.now()
    waits = house.book.sending.waits.retry_seconds
    is_final = away.permanent or letter.tries >= len(waits)
    wait = None if is_final else timedelta(seconds=waits[letter.tries])
    with house.store.write() as unit:
        unit.letters.failed(letter, because=str(away)[:300], due_at=None if wait is None else now + wait, at=now)
        if wait is None:
            _record(house, unit, "letter.given_up", letter, error=str(away)[:300], facts={"kind": letter.kind.value})


def _record(
    house: House,
    unit: ControlUnit,
    action: str,
    letter: Letter,
    *,
    error: str | None,
    facts: Mapping[str, Fact],
) -> None:
    emit_as(
        unit,
        SYSTEM_ACTOR,
        action,
        at=house.clock.now(),
        tenant=row_ref(unit.directory.get(letter.tenant), source="letter"),
        targets=(TargetRef(type="letter", id=letter.id),),
        error=error,
        facts=facts,
    )
