"""Every governed action by every role for every reason: what comes of asking is policy's own answer."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.domain.billing.resyncing import JOB, Progress, key_of
from console.domain.decisions import Allow, Decision, Deny, DenyCode, Fact, NeedsApproval, Query
from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import (
    ActionKey,
    FreezeId,
    PersonKey,
    ReasonCode,
    RequestId,
    ReviewId,
    SessionKey,
    StaffId,
    TenantId,
)
from console.domain.import_entitlements import OverrideRecord
from console.domain.imports import DeliveryRecord, TenantRecord, delivery_id_of, endpoint_id_of, member_id_of
from console.domain.jobs import JobDraft
from console.domain.periods import PeriodState
from console.domain.reasons import BREAK_GLASS, Reason
from console.domain.recalculations import SweepState
from console.domain.reconciling.findings import FindingState
from console.domain.replays import RunState
from console.domain.requests import State
from console.domain.reviews import Review, ReviewKind
from console.domain.staff import Actor, Role
from console.policy.decide import decide
from console.ports.actions import Reach
from console.usecases.outcomes import Ran, Waiting
from console.usecases.parameters import Raw
from console.usecases.propose_action import propose_action
from console.usecases.sign_in import session_key
from console.web.sessions import COOKIE
from tests.databases import NOON
from tests.going_back import Place, WayBack, way_back
from tests.integration.cast import member_of_staff
from tests.reconciling import A_FINDING, A_RUN
from tests.web.access_stage import planned_sweep
from tests.web.cast import PEOPLE, Browser, Cast, on_stage, web_app
from tests.web.customer_stage import question_of, trust
from tests.web.matrix import TABLE, THIS, actor_of, lease
from tests.web.money_stage import UNLINKED, bank
from tests.web.period_stage import OCTOBER, period_in
from tests.web.posting import Question, fault, opened_for, sent
from tests.web.product_stage import impersonation_of
from tests.web.signal_stage import raised_signal
from tests.web.webhook_stage import MAIN, Left, planned_run
from tests.web.webhook_stage import furnish as webhooks
from tests.web.world import NORDWIND, TENANTS, world

REFERENCES = {
    "CUSTOMER_SUPPORT": "ZD-48213", "BILLING_RECONCILIATION": "INV-2026-004711", "INCIDENT_RESPONSE": "INC-2301",
    "DATA_REPAIR": "CHG-1180", "CONTRACT_CHANGE": "CTR-2026-0117", "FRAUD_ABUSE_REVIEW": "CASE-77",
    "LEGAL_PROCESS": "MAT-12", "BREAK_GLASS": "INC-2301", "STAFF_CHANGE": "HR-123",
    "PERIOD_CLOSE": "CLOSE-2026-10", "CONTAINMENT": "INC-2301", "REVIEW": "REV-2026-11",
}  # fmt: skip
COLLEAGUE = PEOPLE["support_agent_2"].id
AWAY = StaffId("stf_away")
OLD = endpoint_id_of(NORDWIND, "old")
MISSING = delivery_id_of(NORDWIND, "msg_nordwindmiss000", "main")
WAITING = delivery_id_of(NORDWIND, "msg_nordwindlate", "main")
EMPTY = {"rate_per_s": "", "description": ""}
RUNS = {
    "webhook.run_replay": RunState.PLANNED,
    "webhook.pause_replay": RunState.RUNNING,
    "webhook.resume_replay": RunState.PAUSED,
    "webhook.cancel_replay": RunState.PLANNED,
}
SWEEPS = {
    "entitlement.run_recalculation": SweepState.PLANNED,
    "entitlement.pause_recalculation": SweepState.RUNNING,
    "entitlement.resume_recalculation": SweepState.PAUSED,
    "entitlement.cancel_recalculation": SweepState.PLANNED,
}
ON_AN_OVERRIDE = frozenset({"entitlement.end_override", "entitlement.assign_owner"})


BROWSER = SessionKey("of_the_matrix")
STATES = {
    "finding.take": FindingState.OPEN,
    "finding.leave": FindingState.IN_PROGRESS,
    "finding.explain": FindingState.OPEN,
    "finding.waive": FindingState.OPEN,
    "finding.reopen": FindingState.EXPLAINED,
}


@dataclass(frozen=True)
class Trial:
    """What is asked for, and the facts that policy has to hear of it."""

    raw: Raw
    facts: Mapping[str, Fact]
    is_suspended: bool = False


PERIODS = {"prepare": PeriodState.OPEN, "close": PeriodState.SOFT_CLOSED, "reopen": PeriodState.CLOSED}
TRIALS: Mapping[str, Trial] = {
    "entitlement.override": Trial(
        {"feature": "seats", "value": "250", "until": "2027-01-31"},
        {"is_paid_raise": True, "is_raise": True, "increase_percent": 25, "days": 71},
    ),
    "entitlement.end_override": Trial({"override": ""}, {"is_raise": False}),
    "entitlement.recalculate": Trial({}, {}),
    "entitlement.assign_owner": Trial({"override": ""}, {}),
    "entitlement.grant_grace": Trial({"cause": "payment_overdue", "until": "2026-12-05"}, {"days": 14}),
    "entitlement.end_coverage": Trial({"refund": "re_nordwind1"}, {}),
    "entitlement.plan_recalculation": Trial({"plan": "", "rate_per_s": ""}, {}),
    "entitlement.run_recalculation": Trial({"run": "x"}, {"losing": 1}),
    "entitlement.pause_recalculation": Trial({"run": "x"}, {}),
    "entitlement.resume_recalculation": Trial({"run": "x"}, {}),
    "entitlement.cancel_recalculation": Trial({"run": "x"}, {}),
    "member.reveal": Trial(
        {"member": member_id_of(NORDWIND, "nordwind-m1"), "field": "email"}, {"field": "email", "reveals_last_hour": 0}
    ),
    "impersonation.start": Trial(
        {"member": member_id_of(NORDWIND, "nordwind-m1"), "minutes": "30"},
        {
            "minutes": 30, "member_is_staff": False, "is_impersonating": False, "tenant_refuses": False,
            "is_other_reason": False,
        },
    ),
    "impersonation.widen": Trial({"impersonation": "x"}, {}),
    "tenant.add_note": Trial({"text": "Called back, all is well."}, {}),
    "tenant.suspend": Trial({"because": "Invoices are unpaid since March."}, {}),
    "tenant.resume": Trial({}, {}, is_suspended=True),
    "billing.resync": Trial({"invoice": "INV-nordwind-1", "kind": "", "object": ""}, {}),
    "billing.resync_tenant": Trial({}, {}),
    "billing.resync_all": Trial({"since": ""}, {}),
    "billing.cancel_resync": Trial({"resync": "exe_1"}, {}),
    "billing.refund": Trial(
        {"payment": "pi_nordwind1", "amount": "40.00", "currency": "EUR", "why": "duplicate"},
        {"amount_units": 40, "earlier_units": 0},
    ),
    "billing.issue_credit": Trial(
        {
            "invoice": "in_nordwind1", "amount": "9.01", "back": "9.01", "currency": "EUR", "to": "balance",
            "why": "order_change",
        },
        {"amount_units": 10, "earlier_units": 0},
    ),
    "billing.apply_payment": Trial(
        {"payment": "pi_nordwind2", "invoice": "in_nordwind2", "amount": "50.00", "currency": "EUR"},
        {"amount_units": 50, "earlier_units": 0},
    ),
    "billing.cancel_duplicate": Trial(
        {"keep": "sub_nordwind1", "cancel": "sub_nordwind2", "both_paid": "no"}, {"both_paid": False}
    ),
    "billing.link_customer": Trial({"customer": UNLINKED, "proof": "metadata"}, {"is_documented_only": False}),
    "billing.unlink_customer": Trial({"customer": "cus_nordwind", "at_provider": "leave"}, {}),
    "billing.note_dispute": Trial({"dispute": "dp_nordwind1"}, {}),
    "lease.top_up": Trial({"colleague": COLLEAGUE, "extra": "5"}, {"extra": 5, "target_is_self": False}),
    "staff.add": Trial(
        {"name": "Ada Field", "email": "ada@brightline.example", "person": "https://id.example|a", "roles": "finance"},
        {"grants_administrator": False},
    ),
    "staff.change_roles": Trial(
        {"colleague": COLLEAGUE, "roles": ["support_lead"]}, {"target_is_self": False, "grants_administrator": False}
    ),
    "staff.deactivate": Trial({"colleague": COLLEAGUE}, {"target_is_self": False}),
    "staff.reactivate": Trial({"colleague": AWAY}, {"grants_administrator": False}),
    "webhook.add_endpoint": Trial({"url": "https://new.nordwind.example/in", "event_types": "*", **EMPTY}, {}),
    "webhook.change_endpoint": Trial({"endpoint": MAIN, "rate_per_s": "5"}, {"changes_address": False}),
    "webhook.pause_endpoint": Trial({"endpoint": MAIN}, {}),
    "webhook.enable_endpoint": Trial({"endpoint": OLD, "recover": "no"}, {}),
    "webhook.disable_endpoint": Trial({"endpoint": MAIN}, {}),
    "webhook.delete_endpoint": Trial({"endpoint": MAIN}, {}),
    "webhook.rotate_secret": Trial({"endpoint": MAIN}, {}),
    "webhook.test_send": Trial({"endpoint": MAIN}, {}),
    "webhook.send_snapshot": Trial({"endpoint": MAIN, "subject": "account"}, {}),
    "webhook.resend": Trial({"delivery": MISSING}, {}),
    "webhook.reemit": Trial({"delivery": MISSING}, {}),
    "webhook.cancel_delivery": Trial({"delivery": WAITING}, {}),
    "webhook.reveal_payload": Trial({"message": "msg_nordwindmiss000"}, {"reveals_last_hour": 0}),
    "webhook.plan_replay": Trial({"since": "2026-11-21 00:00", "until": "2026-11-21 11:00"}, {}),
    "webhook.run_replay": Trial({"run": "x"}, {"planned": 4}),
    "webhook.pause_replay": Trial({"run": "x"}, {}),
    "webhook.resume_replay": Trial({"run": "x"}, {}),
    "webhook.cancel_replay": Trial({"run": "x"}, {}),
    "job.retry": Trial({"job": "x"}, {}),
    "job.discard": Trial({"job": "x"}, {}),
    "inbound.replay": Trial({"event": "x"}, {}),
    **{f"period.{verb}": Trial({"period": OCTOBER}, {}) for verb in PERIODS},
    "review.decide": Trial(
        {"review": "rev_open", "verdict": "ok", "because": "Looked at the diff and the ticket."},
        {"acted": False, "approved": False, "gains": False},
    ),
    "freeze.set": Trial({"scope": "vendor", "subject": "northwind"}, {"target_is_self": False}),
    "freeze.lift": Trial({"freeze": "frz_standing"}, {"target_is_self": False}),
    "freeze.drill": Trial({}, {}),
    "staff.end_sessions": Trial({"colleague": COLLEAGUE}, {"target_is_self": False}),
    "staff.set_country": Trial({"colleague": COLLEAGUE, "country": "DE"}, {}),
    "customer_token.make": Trial({"label": "SIEM", "opens": "log"}, {}),
    "customer_token.revoke": Trial({"token": "cut_1"}, {}),
    "customer_webhook.set": Trial({"url": "https://siem.nordwind.example/in"}, {}),
    "legal_hold.set": Trial({"until": "2026-12-31"}, {"days": 40}),
    "legal_hold.release": Trial({"hold": "lgh_1"}, {}),
    "access_policy.set": Trial({"impersonation": "consent", "notify": "digest"}, {"loosens": False, "silences": False}),
    "consent.ask": Trial(
        {"what": "See why your invoice shows two taxes.", "member": "", "mode": "read", "minutes": "30",
         "answer_hours": "72"}, {"hours": 72}
    ),
    "consent.withdraw": Trial({"consent": "cns_1"}, {"is_others": False}),
    "reconciliation.start": Trial({}, {}),
    "reconciliation.start_tenant": Trial({}, {}),
    "reconciliation.cancel": Trial({"run": "x"}, {}),
    "signal.settle": Trial(
        {"signal": "x", "verdict": "harmless", "note": "She worked through a list."}, {"is_own": False}
    ),
    "finding.take": Trial({"finding": "x"}, {}),
    "finding.leave": Trial({"finding": "x"}, {}),
    "finding.explain": Trial({"finding": "x", "note": "Known since March, see the contract."}, {}),
    "finding.waive": Trial({"finding": "x", "until": "2026-12-31", "note": "Paid by bank transfer."}, {"days": 40}),
    "finding.reopen": Trial({"finding": "x"}, {}),
}  # fmt: skip


@dataclass(kw_only=True)
class Scene:
    """The cast, and what an outage left once it was brought."""

    cast: Cast
    left: Left | None = None


@dataclass(kw_only=True)
class Stage(Scene):
    """A scene in a file, and how that was before each question."""

    file: Path
    way: WayBack
    place: Place


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with on_stage(tmp_path / "actions.db") as cast:
        settle(cast)
        with way_back(tmp_path / "actions.db") as way:
            yield Stage(cast=cast, file=tmp_path / "actions.db", way=way, place=way.here(is_first=True))


def settle(cast: Cast) -> None:
    """Let somebody be away, a colleague have signed in, and the provider know the tenant."""
    with cast.house.store.write() as unit:
        unit.staff.add(member_of_staff(AWAY, Role.FINANCE))
        unit.staff.set_active(AWAY, is_active=False, at=NOON)
    cast.sign_in("support_agent_2")
    bank(cast, THIS)
    cast.app = web_app(cast.house)  # with the provider that was put into it


def furnish(stage: Stage, key: str, role: Role) -> Raw:
    """Bring the world into the state that the action needs, and return what is typed."""
    given = brought(stage, key, role)
    with closing(sqlite3.connect(stage.file)) as raw:
        (grant,) = raw.execute("SELECT id FROM plane_entitlement_override").fetchone()
    stage.place = stage.way.here(is_first=True)
    return {"override": grant} if key in ON_AN_OVERRIDE else given


def brought(scene: Scene, key: str, role: Role) -> Raw:
    """Bring what the action needs, and return what is typed but for the id of the override."""
    trial = TRIALS[key]
    tenant = next(record for record in world() if isinstance(record, TenantRecord))
    runs = key in ON_AN_OVERRIDE
    override = OverrideRecord(
        tenant=NORDWIND, external_id="o1", feature="seats", value=300, label="Kept", reference="CTR-1",
        starts_at=NOON - timedelta(days=1), until=NOON + timedelta(days=9), ended_at=None if runs else NOON,
    )  # fmt: skip
    with scene.cast.storage.bulk.write() as bulk:
        bulk.put([replace(tenant, status="suspended" if trial.is_suspended else "active"), override])
    lease(scene.cast, role.value, THIS)
    if key.startswith("period."):
        period_in(scene.cast, PERIODS[key.removeprefix("period.")], by=role.value)
    trust(scene.cast, TENANTS[THIS])
    return {**trial.raw, **told(scene, key, role)}


def told(scene: Scene, key: str, role: Role) -> Raw:
    """Bring webhooks, a job and an event onto the scene, once, and return the ids that nobody knows before."""
    if key.startswith(("finding.", "reconciliation.")):
        return reconciled(scene, key)
    if key.startswith(("signal.", "impersonation.widen", "freeze.", "review.")):
        return watched(scene, key, role)
    if key == "consent.withdraw":
        return {"consent": question_of(scene.cast, role.value, TENANTS[THIS])}
    if key == "billing.cancel_resync":
        first = JobDraft(kind=JOB, key=key_of("exe_1", 0), payload=Progress(resync="exe_1").payload(),
                         run_at=NOON + timedelta(days=9))  # fmt: skip
        with scene.cast.house.store.write() as unit:
            unit.jobs.add(first, at=NOON)
    if key in SWEEPS:
        return {"run": planned_sweep(scene.cast, state=SWEEPS[key])}
    if not key.startswith(("webhook.", "job.", "inbound.")):
        return {}
    if scene.left is None:
        scene.left = webhooks(scene.cast)
        late = DeliveryRecord(
            tenant=NORDWIND, message="msg_nordwindlate", endpoint="main", event_type="invoice.created",
            outcome="pending", status_code=503, attempts=1, at=NOON, created_at=NOON, payload="{}",
            due_at=NOON + timedelta(hours=1),
        )  # fmt: skip
        with scene.cast.storage.bulk.write() as bulk:
            bulk.put([late])
    if key in RUNS:
        return {"run": planned_run(scene.cast, scene.left, state=RUNS[key])}
    ids = {"job.retry": {"job": scene.left.job}, "job.discard": {"job": scene.left.job}}
    return ids.get(key, {"event": scene.left.event} if key == "inbound.replay" else {})


def watched(scene: Scene, key: str, role: Role) -> Raw:
    """Bring what oversight acts on, and return its ids."""
    if key == "signal.settle":
        return {"signal": raised_signal(scene.cast)}
    if key == "impersonation.widen":
        return {"impersonation": impersonation_of(scene.cast, role.value, session=BROWSER, slug=THIS)}
    if key.startswith("freeze."):
        return frozen(scene, key)
    review_in(scene)
    return {}


def review_in(scene: Scene) -> None:
    """Bring a review of somebody who is not on stage."""
    nobody = PersonKey("local|nobody")
    with scene.cast.house.store.write() as unit:
        unit.reviews.add(
            Review(
                id=ReviewId("rev_open"), kind=ReviewKind.SAMPLE, subject="evt_1", title="A note", tenant=None,
                actor=StaffId("stf_nobody"), actor_name="Nobody", person=nobody, approvers=frozenset(),
                gainers=frozenset(), opened_at=NOON, due_at=NOON + timedelta(days=7),
            )
        )  # fmt: skip


def frozen(scene: Scene, key: str) -> Raw:
    """Bring a vendor with a colleague of the cast, and a freeze that nobody here meets; return their names."""
    freeze = Freeze(
        id=FreezeId("frz_standing"), scope=FreezeScope.VENDOR, subject="acme", name="Vendor acme", is_drill=False,
        reason=Reason(code=ReasonCode("CONTAINMENT"), reference="INC-1"), set_by=PEOPLE["on_call"].id, set_at=NOON,
    )  # fmt: skip
    with scene.cast.house.store.write() as unit:
        unit.staff.set_vendor(COLLEAGUE, "northwind")
        if unit.freezes.get(freeze.id) is None:
            unit.freezes.add(freeze)
    return {"freeze": freeze.id} if key == "freeze.lift" else {}


def reconciled(scene: Scene, key: str) -> Raw:
    """Bring a finding in the state that the action needs, and a run that goes on; return their ids."""
    state = STATES.get(key)
    finding = replace(A_FINDING, state=state or FindingState.OPEN)
    with scene.cast.house.store.write() as unit:
        known = unit.findings.get(finding.id)
        if known is None:
            unit.findings.add(finding)
        else:
            unit.findings.save(replace(finding, version=known.version))
        if key == "reconciliation.cancel":
            unit.runs.add(A_RUN)
    if key == "reconciliation.cancel":
        return {"run": A_RUN.id}
    return {"finding": finding.id} if state is not None else {}


def policy_says(stage: Scene, actor: Actor, key: str, code: str) -> Decision:
    """Return policy's answer to the same question, put without any use case."""
    tenant = TENANTS[THIS] if stage.cast.house.registry[ActionKey(key)].reach is Reach.TENANT else None
    facts = dict(TRIALS[key].facts)
    query = Query(
        actor=actor.staff, person=actor.person, roles=actor.roles, kind=actor.kind, action=ActionKey(key),
        tenant=tenant, leased_tenant=tenant, reason=ReasonCode(code), step_up_age_s=0, facts=facts,
    )  # fmt: skip
    return decide(stage.cast.house.book, query)


def came_of(stage: Stage, actor: Actor, key: str, code: str, *, raw: Raw, tenant: TenantId | None) -> object:
    """Ask, and put everything back."""
    reason = Reason(code=ReasonCode(code), reference=REFERENCES[code], note="A note where one is needed.")
    if key == "impersonation.start":
        with closing(sqlite3.connect(stage.file)) as raw_file, raw_file:
            raw_file.execute(
                "UPDATE lease SET reason_code = ?, reason_reference = ? WHERE ended_at IS NULL",
                (reason.code, reason.reference),
            )
    answer = propose_action(
        stage.cast.house, actor, key=ActionKey(key), tenant=tenant, raw=raw, reason=reason, mark=None,
        form_id=RequestId("req_0000000000000000000000000b"),
    )  # fmt: skip
    if not isinstance(answer, Deny):
        stage.way.back_to(stage.place)
    return answer


def agree(answer: object, decision: Decision) -> bool:
    """Return whether what came of asking is what policy said."""
    match decision:
        case Allow():
            return isinstance(answer, Ran) and answer.request.state is State.EXECUTED
        case NeedsApproval(needs=needs):
            return isinstance(answer, Waiting) and answer.request.needs == needs
        case Deny(code=code, rules=rules):
            return isinstance(answer, Deny) and (answer.code, answer.rules) == (code, rules)
        case _:
            return False


def spoken(decisions: list[Decision]) -> str:
    """Return the word of docs/roles.md for all reasons together."""
    if any(isinstance(decision, Allow) for decision in decisions):
        return "alone"
    return "asks" if any(isinstance(decision, NeedsApproval) for decision in decisions) else "no"


def table() -> dict[str, dict[Role, str]]:
    """Return the second table of docs/roles.md."""
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in TABLE.read_text().splitlines()
        if row.startswith("| `") and row.split("`")[1] in TRIALS
    ]
    return {row[0].strip("`"): dict(zip(Role, row[1:], strict=True)) for row in rows}


def test_it_tries_every_action_and_every_reason(cast: Cast) -> None:
    assert set(TRIALS) == set(cast.house.registry) == set(table())
    assert set(REFERENCES) == set(cast.house.book.reasons)


@pytest.mark.checklist("V8.1.1")
@pytest.mark.checklist("V8.2.1")
@pytest.mark.checklist("V8.3.1")
@pytest.mark.parametrize("role", list(Role))
def test_it_answers_every_question_as_policy_does(stage: Stage, role: Role) -> None:
    """Each question is put to the use case; and one of each action is sent by a browser, as its page sends it."""
    browser = stage.cast.sign_in(role.value)
    actor = replace(actor_of(role.value, stage.cast), session=BROWSER)
    faults: list[str | None] = []
    for key in TRIALS:
        raw = furnish(stage, key, role)
        tenant = TENANTS[THIS] if stage.cast.house.registry[ActionKey(key)].reach is Reach.TENANT else None
        decisions = {}
        for code in REFERENCES:
            decision = policy_says(stage, actor, key, code)
            decisions[code] = decision
            answer = came_of(stage, actor, key, code, raw=raw, tenant=tenant)
            if code == "BREAK_GLASS" and not isinstance(decision, Deny):  # no lease of this stage was opened for it
                assert isinstance(answer, Deny), (key, answer)
                continue
            if not agree(answer, decision):
                faults.append(f"{key} for {code}: {answer}, where policy says {decision}")
        faults.append(sent_fault(stage, browser, actor, ActionKey(key), raw=raw, decisions=decisions))
        said = spoken(list(decisions.values()))
        if said != table()[key][role]:
            faults.append(f"docs/roles.md says {table()[key][role]} of {key}, policy {said}")
    assert not any(faults), "\n".join(filter(None, faults))


def sent_fault(
    stage: Stage, browser: Browser, actor: Actor, key: ActionKey, *, raw: Raw, decisions: Mapping[str, Decision]
) -> str | None:
    """Send the form for the first reason that permits it, else for the first that is accepted; put everything back."""
    accepted = sorted(stage.cast.house.book.actions[key].reasons - {BREAK_GLASS})
    code = next((each for each in accepted if not isinstance(decisions[each], Deny)), accepted[0])
    reason = Reason(code=code, reference=REFERENCES[code], note="A note where one is needed.")
    session = SessionKey(session_key(browser.cookie(COOKIE)))
    tenant = (TENANTS[THIS], THIS) if stage.cast.house.registry[key].reach is Reach.TENANT else None
    asked = Question(key=key, actor=replace(actor, session=session), reason=reason, raw=raw, tenant=tenant)
    opened_for(stage.file, asked)
    place = stage.way.here(is_first=True)
    status = sent(stage.cast, browser, asked)
    found = fault(stage.cast, stage.file, asked, status=status, policy=decisions[code])
    stage.way.back_to(place)
    return found


def test_it_refuses_every_tenant_action_without_a_lease(stage: Stage) -> None:
    for role in Role:
        actor = actor_of(role.value, stage.cast)
        for key, trial in TRIALS.items():
            if stage.cast.house.registry[ActionKey(key)].reach is Reach.TENANT:
                raw: Raw = {"override": "x"} if key in ON_AN_OVERRIDE else trial.raw
                tenant = TENANTS[THIS]
                answer = came_of(stage, actor, key, "CONTRACT_CHANGE", raw=raw, tenant=tenant)
                assert isinstance(answer, Deny), (role, key)
                assert answer.code is DenyCode.NO_LEASE, (role, key)
