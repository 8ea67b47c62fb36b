"""The house in which the matrix asks for every action, and what has to be there before each."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.domain.billing.resyncing import JOB, Progress, key_of
from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import (
    FreezeId,
    PersonKey,
    ReasonCode,
    ReviewId,
    StaffId,
)
from console.domain.import_entitlements import OverrideRecord
from console.domain.imports import DeliveryRecord, TenantRecord
from console.domain.jobs import JobDraft
from console.domain.reasons import Reason
from console.domain.reconciling.findings import FindingState
from console.domain.reviews import Review, ReviewKind
from console.domain.staff import Role
from console.usecases.parameters import Raw
from tests.databases import NOON
from tests.going_back import Place, WayBack, way_back
from tests.integration.cast import member_of_staff
from tests.reconciling import A_FINDING, A_RUN
from tests.web.access_stage import planned_sweep
from tests.web.cast import PEOPLE, Cast, on_stage, web_app
from tests.web.customer_stage import question_of, trust
from tests.web.matrix import THIS, lease
from tests.web.matrix_trials import AWAY, BROWSER, COLLEAGUE, ON_AN_OVERRIDE, PERIODS, RUNS, STATES, SWEEPS, TRIALS
from tests.web.money_stage import bank
from tests.web.period_stage import period_in
from tests.web.product_stage import impersonation_of
from tests.web.signal_stage import raised_signal
from tests.web.webhook_stage import Left, planned_run
from tests.web.webhook_stage import furnish as webhooks
from tests.web.world import NORDWIND, TENANTS, world


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
