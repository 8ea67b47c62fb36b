"""A support lead reads what signals say of them: whether they are watched, by which rule, and which canary sang."""

from console.domain.entries import SYSTEM_ACTOR, TargetRef
from console.usecases.recording import emit_as, tenant_ref
from tests.attacks.door import Attempts, Door
from tests.web.signal_stage import raised_signal
from tests.web.world import TENANTS

CHECKLIST = ("V8.2.2",)


def attack(door: Door) -> Attempts:
    """Look for it by its address, as somebody else can; the lists keep silent about it too."""
    lead, colleague = door.enter("support_lead"), door.enter("support_lead_2")
    signal = raised_signal(door.cast, about="support_lead")
    assert colleague.get(f"/signals/{signal}").status_code == 200
    assert signal in colleague.get("/signals").text
    assert signal not in lead.get("/signals").text
    _told_on_the_tenant(door)
    agent = door.inside()
    for page in ("", "entries"):
        assert "Canary tenant" not in agent.get(f"/t/nordwind/{page}").text, page
    alone = door.attempts(404, "route.refused")
    alone.get(lead, f"/signals/{signal}")
    return alone


def _told_on_the_tenant(door: Door) -> None:
    """Leave the entry that a signal leaves, which names the tenant that was opened."""
    with door.cast.house.store.write() as unit:
        emit_as(
            unit,
            SYSTEM_ACTOR,
            "signal.raised",
            at=door.cast.clock.now(),
            tenant=tenant_ref(unit, TENANTS["nordwind"], source="request"),
            targets=(TargetRef(type="signal", id="sig_1", name="Canary tenant"),),
        )
