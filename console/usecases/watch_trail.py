"""Look at every entry of the trail once, and raise the signals that it completes."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

from console.domain.catalogue import CATALOGUE
from console.domain.decisions import Fact
from console.domain.entries import SYSTEM_ACTOR
from console.domain.entry_parts import ActorKind, TargetRef
from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import EntryUid, FreezeId, PersonKey, ReasonCode, StaffId, TenantId
from console.domain.reasons import Reason
from console.domain.signal_measures import judged
from console.domain.signals import Act, Hit, Looks, Response, Signal, SignalId, SignalRule
from console.domain.staff import Actor, Origin, SignInMethod, StaffKind, StaffMember
from console.ports.store import ControlUnit
from console.ports.trail import EntryFilter, StoredEntry
from console.usecases.access_lines import UNREADABLE
from console.usecases.control_tools import UnitTools
from console.usecases.house import House
from console.usecases.notices import tell
from console.usecases.recording import emit_as, tenant_ref

_SLICE = 200
_MOST_ACTS = 500
_EXECUTED = "action.executed"
_TICK = timedelta(microseconds=1)
_WHY = ReasonCode("CONTAINMENT")
_WATCHER = Actor(
    staff=StaffId("sallyport"),
    person=PersonKey("system|signals"),
    name="Sallyport (signals)",
    email="",
    roles=frozenset(),
    kind=StaffKind.OPERATOR,
    signed_in_by=SignInMethod.SHELL,
    origin=Origin(route="signals"),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def watch_trail(house: House) -> bool:
    """Look at the next entries and return whether there may be more.

    Shape: how far it came is written with what it raised, so that an entry is looked at once however often a process
    dies; the trail is what is watched, so no page, job or command can leave anything out.
    """
    with house.store.read() as unit:
        before = unit.signals.watched()
        entries = unit.reader.placed_after(before, limit=_SLICE)
        hits = [
            (rule, act, hit)
            for act in map(act_of, entries)
            if act is not None
            for rule in house.book.signals.values()
            if (hit := _judged(unit, rule, act)) is not None
        ]
    after = entries[-1].position if entries else None
    if after is None:
        return False
    with house.store.write() as unit:
        if any(rule.response is Response.FREEZE for rule, _act, _hit in hits):
            unit.freezes.claim()  # before any row, of which the person that is frozen may wait for one
        if unit.signals.advance(before, after):
            for rule, act, hit in hits:
                _raise(house, unit, rule, act, hit)
    return len(entries) == _SLICE


def act_of(entry: StoredEntry) -> Act | None:
    """Return what a rule sees of an entry: an act of a staff member, under the key of the governed action that ran."""
    try:
        return _act(json.loads(entry.body))
    except UNREADABLE:  # somebody else wrote it: `trail verify` names it, and the others are looked at all the same
        return None


def _act(body: Mapping[str, Any]) -> Act | None:
    actor, tenant = body["actor"], body.get("tenant") or {}
    if actor["kind"] != ActorKind.STAFF.value or actor["id"] is None:
        return None
    action = body["governed"] if body["action"] == _EXECUTED else body["action"]
    return Act(
        uid=EntryUid(body["uid"]),
        at=_EPOCH + timedelta(microseconds=body["ts_us"]),
        actor=StaffId(actor["id"]),
        action=str(action),
        tenant=TenantId(tenant["id"]) if tenant else None,
        slug=str(tenant.get("slug", "")),
        correlation=str(body.get("correlation") or ""),
    )


def _judged(unit: ControlUnit, rule: SignalRule, act: Act) -> Hit | None:
    return judged(rule, act, _past(unit, rule, act)) if act.action in rule.actions else None


def _past(unit: ControlUnit, rule: SignalRule, act: Act) -> Sequence[Act]:
    """Return the newest acts that the rule needs to see beside this one."""
    names = {name if name in CATALOGUE else _EXECUTED for name in rule.needed}
    whose: dict[str, Any] = {"tenant": act.tenant} if rule.looks is Looks.AT_TENANT else {"actor": act.actor}
    if rule.looks is Looks.AT_TENANT and act.tenant is None:
        return ()
    wanted = [EntryFilter(action=name, since=act.at - rule.reach, until=act.at + _TICK, **whose) for name in names]
    found = [act_of(entry) for each in wanted for entry in unit.reader.page(each, before=None, limit=_MOST_ACTS)]
    return [each for each in found if each is not None and each.action in rule.needed]


def _raise(house: House, unit: ControlUnit, rule: SignalRule, act: Act, hit: Hit) -> None:
    """Store what was found, and answer it: one that nobody has settled is answered again when it begins anew."""
    now, who = house.clock.now(), unit.staff.get(act.actor)
    known = unit.signals.open_of(rule.key, hit.subject)
    signal = Signal(
        id=SignalId(house.ids.new("sig")),
        rule=rule.key,
        subject=hit.subject,
        staff=act.actor,
        tenant=act.tenant,
        summary=hit.summary,
        response=rule.response,
        raised_at=now,
        last_at=now,
        hits=1,
        evidence=hit.evidence,
        people=hit.people,
    )
    if not unit.signals.raise_(signal):
        if known is None or not _begins_anew(unit, known, hit, who):
            return
        signal = known
    is_cold = rule.response is Response.FREEZE
    frozen = _freeze(house, unit, signal, who, now=now) if is_cold and who is not None else {}
    emit_as(
        unit,
        SYSTEM_ACTOR,
        "signal.raised",
        at=now,
        tenant=tenant_ref(unit, act.tenant, source="request"),
        targets=(
            TargetRef(type="signal", id=signal.id, name=rule.label),
            TargetRef(type="staff", id=act.actor, name=None if who is None else who.name),
        ),
        facts={"rule": rule.key, "response": rule.response.value, "found": hit.summary, **frozen},
    )
    if rule.response is Response.STEP_UP and who is not None:
        unit.staff.ask_to_confirm(act.actor, at=now)
    sentence = f"Signal: {rule.label}" if who is None else f"Signal about {who.name}: {rule.label}"
    for member in unit.staff.eligible(rule.tells):
        if member.id not in hit.people:
            tell(house, unit, member.id, kind="signal", sentence=sentence, path=f"/signals/{signal.id}", at=now)


def _begins_anew(unit: ControlUnit, known: Signal, hit: Hit, who: StaffMember | None) -> bool:
    """Return whether all that was found came after the last answer to an open signal, which no longer has an effect."""
    match known.response:
        case Response.FREEZE:
            last = next(iter(unit.freezes.because_of(known.id)), None)
            return last is None or (last.lifted_at is not None and last.lifted_at < hit.since)
        case Response.STEP_UP:
            return who is not None and (who.confirm_after is None or who.confirm_after < hit.since)
        case Response.NOTIFY:
            return known.last_at < hit.since
        case _:
            assert_never(known.response)


def _freeze(house: House, unit: ControlUnit, signal: Signal, who: StaffMember, *, now: datetime) -> dict[str, Fact]:
    """Freeze the person at once, and return which freeze it is; two people lift it, as any other."""
    freeze = Freeze(
        id=FreezeId(house.ids.new("frz")),
        scope=FreezeScope.PERSON,
        subject=who.id,
        name=who.name,
        is_drill=False,
        reason=Reason(code=_WHY, reference=signal.id, note=signal.summary),
        set_by=None,
        set_at=now,
    )
    UnitTools(house=house, unit=unit, actor=_WATCHER, tenant=None).freeze(freeze)
    return {"freeze": freeze.id}
