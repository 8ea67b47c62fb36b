"""The verbs of the kill switch: whom they tell, what they refuse, and that nothing holds one up."""

import pytest

from console.domain.decisions import DenyCode
from console.domain.errors import OutsideError
from console.domain.jobs import JobDraft
from console.domain.requests import Request
from console.ports.outbox import Notice
from console.usecases.change_request import revoke_request
from console.usecases.deliver_notices import deliver_notices
from console.usecases.run_jobs import run_due_jobs
from tests.integration.kill_switch import LIFT, SET, Switch, code, switch
from tests.web.cast import PEOPLE

__all__ = ["switch"]


def test_everybody_who_answers_for_it_is_told(switch: Switch) -> None:
    switch.freeze()
    with switch.stage.storage.store.read() as unit:
        for who in ("administrator", "security_auditor"):
            (notice,) = unit.outbox.unread(PEOPLE[who].id, limit=5)
            assert (notice.kind, notice.path) == ("frozen", "/freezes")
        assert unit.outbox.unread(PEOPLE["on_call"].id, limit=5) == []


@pytest.mark.parametrize(
    ("scope", "subject", "field"),
    [
        ("person", "nobody@sallyport.example", "subject"),
        ("vendor", "nobody", "subject"),
        ("tenant", "no-such-tenant", "subject"),
        ("all", "acme", "subject"),
        ("galaxy", "", "scope"),
    ],
)
def test_it_refuses_what_nobody_could_mean(switch: Switch, scope: str, subject: str, field: str) -> None:
    answer = switch.control("on_call", SET, {"scope": scope, "subject": subject})
    assert [fault.field for fault in answer.faults] == [field]


def test_nobody_freezes_themselves_and_nothing_is_frozen_twice(switch: Switch) -> None:
    assert code(switch.control("on_call", SET, {"scope": "person", "subject": PEOPLE["on_call"].email})) is (
        DenyCode.SELF_TARGET
    )
    switch.vendor("on_call", "northwind")
    assert code(switch.control("on_call", SET, {"scope": "vendor", "subject": "northwind"})) is DenyCode.SELF_TARGET
    switch.freeze("tenant", "acme")
    again = switch.control("on_call", SET, {"scope": "tenant", "subject": "acme"})
    assert [fault.field for fault in again.faults] == ["subject"]


def test_an_unknown_drill_job_is_refused(switch: Switch) -> None:
    with switch.stage.storage.store.write() as unit:
        unit.jobs.add(JobDraft(kind="freeze.drill", key="x", payload={"drill": "frz_none"}), at=switch.clock.now())
    run_due_jobs(switch.stage.house, worker="w1")
    assert switch.stage.entries("job.refused") == 1


def test_a_lifted_freeze_is_lifted_once(switch: Switch) -> None:
    freeze = switch.freeze()
    switch.thaw(freeze)
    with switch.stage.storage.store.write() as unit:
        assert unit.freezes.lift(freeze, by=PEOPLE["on_call"].id, at=switch.clock.now()) is False
    assert [fault.field for fault in switch.control("on_call", LIFT, {"freeze": freeze}).faults] == ["freeze"]


def test_a_silent_channel_for_notices_holds_up_neither_a_freeze_nor_a_revocation(switch: Switch) -> None:
    class Silent:
        def send(self, notice: Notice) -> None:
            raise OutsideError("The channel is silent.", permanent=False, notice=notice.id)

    switch.stage.open("support_agent", "acme")
    request = switch.stage.filed("support_agent", "acme", 200)
    switch.stage.approve("finance_lead", request)
    assert deliver_notices(switch.stage.house, Silent()) == 0
    house, lead = switch.stage.house, switch.stage.actor("finance_lead")
    assert isinstance(revoke_request(house, lead, request_id=request.id, because="Wrong tenant."), Request)
    switch.freeze()
    assert deliver_notices(house, Silent()) == 0
    with switch.stage.storage.store.read() as unit:
        assert [each.kind for each in unit.outbox.unread(PEOPLE["administrator"].id, limit=5)] == ["frozen"]
