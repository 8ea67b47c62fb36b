"""What the job never asks of the provider: what was altered, what lost its ground, what is over already."""

from dataclasses import replace

import pytest

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.objects import ObjectKind
from console.domain.billing.writes import WriteState
from console.domain.errors import OutsideError, UnreadableObjectError
from console.domain.jobs import JobDraft, JobState
from console.domain.requests import State
from console.usecases.carry_out_write import carry_out_write, give_write_up
from console.usecases.follow_link import follow_link
from console.usecases.job_outcomes import JobRefusedError
from tests.integration.money_stage import REFUND, Till, refund
from tests.integration.stage import rows
from tests.integration.test_carrying_out_writes import ONCE, file_till, refunded, till
from tests.web.cast import PEOPLE

__all__ = ["file_till", "till"]


def test_a_command_whose_requester_left_before_it_was_sent_is_refused(till: Till) -> None:
    request = till.agreed(REFUND, refund("40.00"))
    with till.stage.storage.store.write() as unit:
        unit.staff.set_active(PEOPLE["finance"].id, is_active=False, at=till.clock.now())
    till.run()
    assert (till.write(request).state, till.model.calls) == (WriteState.REFUSED, [])
    assert till.entries() == {"refused": 1}


def test_a_command_whose_requester_left_after_it_was_sent_is_settled_as_the_provider_says(till: Till) -> None:
    till.model.fails_after = 1
    request = till.agreed(REFUND, refund("40.00"))
    till.run()
    with till.stage.storage.store.write() as unit:
        unit.staff.set_active(PEOPLE["finance"].id, is_active=False, at=till.clock.now())
    till.pass_by(minutes=5)
    till.run()
    assert (till.write(request).state, refunded(till), till.entries()) == (WriteState.DONE, 4_000, ONCE)
    assert till.job_now(till.job().id).state is JobState.DEAD


def test_a_job_that_is_run_again_asks_nothing(till: Till) -> None:
    request = till.agreed(REFUND, refund("40.00"))
    till.run()
    job, asked = till.job(), len(till.model.calls)
    carry_out_write(till.stage.house, replace(job, lease_until=till.clock.now().replace(year=2030)))
    with till.stage.storage.store.write() as unit:
        again = JobDraft(kind=job.kind, key=job.key, payload=job.payload, tenant=job.tenant, request=request.id)
        assert unit.jobs.add(again, at=till.clock.now()) is None
    assert (len(till.model.calls), refunded(till), till.entries()) == (asked, 4_000, ONCE)


def test_a_command_that_was_altered_is_never_sent(file_till: Till) -> None:
    till = file_till
    request = till.agreed(REFUND, refund("40.00"))
    rows(till.stage.url, "DROP TRIGGER plane_provider_write_keep")
    rows(
        till.stage.url,
        "UPDATE plane_provider_write SET command = replace(command, '4000', '9900'), amount_minor = 9900",
    )
    till.run()
    assert (till.model.calls, till.stage.entries("job.refused")) == ([], 1)
    assert till.write(request).state is WriteState.WANTED


@pytest.mark.parametrize(
    "change",
    ['payload = replace(payload, \'"command":"\', \'"command":"0\')', "payload = replace(payload, 'exe_', 'exf_')"],
)
def test_a_job_that_was_altered_is_refused(file_till: Till, change: str) -> None:
    till = file_till
    till.agreed(REFUND, refund("40.00"))
    rows(till.stage.url, "DROP TRIGGER job_keep")
    rows(till.stage.url, f"UPDATE job SET {change} WHERE kind = 'billing.write'")
    till.run()
    assert (till.model.calls, till.stage.entries("job.refused")) == ([], 1)


def test_a_request_that_was_altered_after_its_approval_moves_no_money(file_till: Till) -> None:
    till = file_till
    request = till.agreed(REFUND, refund("40.00"))
    rows(till.stage.url, "DROP TRIGGER request_revision_no_update")
    rows(till.stage.url, "UPDATE request_revision SET params = replace(params, '40.00', '99.00')")
    till.run()
    assert (till.model.calls, till.stage.now(request.id).state) == ([], State.EXECUTED)


def test_a_job_without_a_request_is_refused(file_till: Till) -> None:
    till = file_till
    till.agreed(REFUND, refund("40.00"))
    job = till.job()
    for bad in (replace(job, request=None), replace(job, payload={}), replace(job, tenant=None)):
        with pytest.raises(JobRefusedError):
            carry_out_write(till.stage.house, bad)
    assert till.model.calls == []


def test_a_result_whose_surroundings_cannot_be_read_yet_waits(file_till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    till = file_till
    request = till.agreed(REFUND, refund("40.00"))

    def silent(_kind: ObjectKind, _thing: str) -> Snapshot:
        raise OutsideError("It is night there.", permanent=True)

    monkeypatch.setattr(till.model, "fetch", silent)
    till.run()
    assert till.write(request).state is WriteState.SENT
    monkeypatch.undo()
    till.pass_by(minutes=5)
    till.run()
    assert (till.write(request).state, refunded(till), till.entries()) == (WriteState.DONE, 4_000, ONCE)


def test_an_action_that_works_differently_now_is_held_against_what_its_job_says(file_till: Till) -> None:
    till = file_till
    request = till.agreed(REFUND, refund("40.00"))
    known = till.stage.house.registry
    newer = {**known, REFUND: replace(known[REFUND], version=known[REFUND].version + 1)}
    till.stage = replace(till.stage, house=replace(till.stage.house, registry=newer))
    till.run()
    assert (till.write(request).state, refunded(till)) == (WriteState.DONE, 4_000)


def test_what_cannot_be_put_into_canonical_form_is_left_to_the_run_that_finds_it(
    file_till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = file_till
    request = till.agreed(REFUND, refund("40.00"))

    def unreadable(_kind: ObjectKind, _thing: str) -> Snapshot:
        raise UnreadableObjectError("It lacks a currency.", kind="payment", id="pi_1")

    monkeypatch.setattr(till.model, "fetch", unreadable)
    till.run()
    assert (till.write(request).state, till.entries()) == (WriteState.DONE, ONCE)


def test_a_job_that_is_dead_after_its_command_is_settled_says_nothing_more(file_till: Till) -> None:
    till = file_till
    till.agreed(REFUND, refund("40.00"))
    till.run()
    give_write_up(till.stage.house, replace(till.job(), lease_until=till.clock.now().replace(year=2030)))
    assert till.entries() == ONCE


def test_a_link_that_names_nothing_is_refused(file_till: Till) -> None:
    till = file_till
    till.agreed(REFUND, refund("40.00"))
    for bad in (replace(till.job(), tenant=None), replace(till.job(), payload={"customer": 7})):
        with pytest.raises(JobRefusedError):
            follow_link(till.stage.house, bad)


def test_a_command_that_was_given_up_after_it_was_sent_and_not_found_stays_unsettled(file_till: Till) -> None:
    till = file_till
    request = till.agreed(REFUND, refund("40.00"))
    till.model.fails_before = 1
    till.run()
    assert till.write(request).state is WriteState.SENT
    give_write_up(till.stage.house, replace(till.job(), lease_until=till.clock.now().replace(year=2030)))
    assert (till.write(request).state, refunded(till)) == (WriteState.SENT, 0)
    assert till.stage.entries("provider.unsettled") == 1


def test_a_command_that_reads_as_none_any_more_is_not_carried_out(file_till: Till) -> None:
    till = file_till
    till.agreed(REFUND, refund("40.00"))
    rows(till.stage.url, "DROP TRIGGER plane_provider_write_keep")
    rows(till.stage.url, "UPDATE plane_provider_write SET command = '{}'")
    till.run()
    job = till.job_now(till.job().id)
    assert (job.state, till.model.acted()) == (JobState.DEAD, 0)


def test_what_is_gone_by_the_time_it_is_looked_at_again_holds_nothing_up(
    file_till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = file_till
    request = till.agreed(REFUND, refund("40.00"))
    monkeypatch.setattr(till.model, "fetch", lambda _kind, _thing: None)
    till.run()
    assert (till.write(request).state, till.entries()) == (WriteState.DONE, ONCE)
