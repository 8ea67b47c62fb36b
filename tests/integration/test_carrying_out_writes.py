"""The job that asks the provider: once, whatever fails or dies between the asking and the answer."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.commands import Command
from console.domain.billing.objects import ObjectKind, Payment, Refund
from console.domain.billing.writes import WriteState
from console.domain.jobs import JobState
from console.usecases.carry_out_write import carry_out_write
from tests.conftest import NewDatabase
from tests.databases import ENGINES
from tests.integration.money_stage import APPLY, CREDIT, REFUND, Till, opened_till, refund
from tests.integration.test_crash_path import dangling
from tests.web.cast import PEOPLE

ONCE = {"asked": 1, "written": 1}


class Killed(BaseException):
    """Stands for a process that is gone: nothing of ours catches it."""


@pytest.fixture(params=[*ENGINES, "sqlite far", "postgresql far"])
def till(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Till]:
    engine, _, far = str(request.param).partition(" ")
    with opened_till(engine, tmp_path, pg_database, far=bool(far)) as opened:
        yield opened


@pytest.fixture
def file_till(tmp_path: Path) -> Iterator[Till]:
    with opened_till("sqlite", tmp_path, str) as opened:
        yield opened


def refunded(till: Till) -> int:
    """Return how much the provider has given back of the payment."""
    payment = till.model.thing(ObjectKind.PAYMENT, "pi_1")
    assert isinstance(payment, Payment)
    return payment.refunded_minor


def test_it_asks_once_and_mirrors_what_came_of_it(till: Till) -> None:
    request = till.agreed(REFUND, refund("40.00"))
    assert till.write(request).state is WriteState.WANTED
    assert (till.model.acted(), till.entries()) == (0, {})
    assert till.run() == 1
    write = till.write(request)
    assert (write.state, write.result_kind) == (WriteState.DONE, ObjectKind.REFUND)
    assert write.idempotency_key == f"sallyport-refund-{request.execution}"
    made = till.mirrored(ObjectKind.REFUND, str(write.result_id))
    assert isinstance(made, Refund)
    assert made.amount_minor == 4_000
    assert till.mirrored(ObjectKind.PAYMENT, "pi_1") == till.model.thing(ObjectKind.PAYMENT, "pi_1")
    assert (till.entries(), refunded(till)) == (ONCE, 4_000)
    assert till.job_now(till.job().id).state is JobState.SUCCEEDED


def test_an_answer_of_the_provider_ends_what_was_asked_of_it(till: Till) -> None:
    till.agreed(REFUND, refund())
    assert dangling(till.stage) == 0, "nothing was asked yet"
    till.model.fails_after = 1
    till.run()
    assert dangling(till.stage) == 1, "nobody knows yet"
    till.pass_by(minutes=10)
    till.run()
    assert till.entries() == {"asked": 1, "written": 1}
    assert dangling(till.stage) == 0


def test_it_never_refunds_twice_when_the_provider_fails_after_it_has_acted(till: Till) -> None:
    till.model.fails_after = 1
    request = till.agreed(REFUND, refund("40.00"))
    till.run()
    assert (till.write(request).state, till.job_now(till.job().id).state) == (WriteState.SENT, JobState.QUEUED)
    till.pass_by(minutes=1)
    till.run()
    assert (till.write(request).state, refunded(till), till.entries()) == (WriteState.DONE, 4_000, ONCE)
    assert [what for what, _key in till.model.calls] == ["carry_out", "carried_out"]


def test_it_tries_again_under_the_same_key_when_nothing_happened(till: Till) -> None:
    till.model.fails_before = 2
    request = till.agreed(REFUND, refund("40.00"))
    for _ in range(3):
        till.run()
        till.pass_by(minutes=5)
    assert (till.write(request).state, refunded(till), till.entries()) == (WriteState.DONE, 4_000, ONCE)
    assert len({key for _what, key in till.model.calls}) == 1


@pytest.mark.parametrize("hours", [0.1, 25, 24 * 30])
def test_it_asks_whether_it_was_done_before_it_repeats_anything(till: Till, hours: float) -> None:
    till.model.fails_after = 1
    request = till.agreed(REFUND, refund("40.00"))
    till.run()
    till.pass_by(hours=hours)
    till.model.forget_keys()
    till.run()
    assert (till.write(request).state, refunded(till), till.model.acted()) == (WriteState.DONE, 4_000, 1)


def dying(till: Till, *, acts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process vanish inside the next call, before or after the provider has acted."""
    real = till.model.carry_out

    def carry_out(command: Command, *, key: str) -> Snapshot:
        monkeypatch.undo()
        if acts:
            real(command, key=key)
        raise Killed

    monkeypatch.setattr(till.model, "carry_out", carry_out)


@pytest.mark.parametrize("acts", [False, True], ids=["before it acted", "after it acted"])
def test_it_goes_on_after_a_process_that_vanished_between_sent_and_done(
    till: Till, acts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = till.agreed(REFUND, refund("40.00"))
    dying(till, acts=acts, monkeypatch=monkeypatch)
    with pytest.raises(Killed):
        till.run()
    assert (till.write(request).state, till.entries()) == (WriteState.SENT, {"asked": 1})
    till.model.forget_keys()
    till.pass_by(hours=1)
    till.run(worker="w2")
    till.pass_by(hours=1)
    till.run(worker="w2")
    assert (till.write(request).state, refunded(till), till.model.acted()) == (WriteState.DONE, 4_000, 1)
    assert till.entries() == ONCE


def test_an_entry_that_a_dying_process_left_out_is_written_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_till("sqlite", tmp_path, str, far=True) as till:
        request = till.agreed(REFUND, refund("40.00"))
        real = carry_out_write.__globals__["record_write"]

        def die(*arguments: object, **named: object) -> None:
            if arguments[2] == "provider.written":
                raise Killed
            real(*arguments, **named)

        monkeypatch.setitem(carry_out_write.__globals__, "record_write", die)
        with pytest.raises(Killed):
            till.run()
        monkeypatch.undo()
        assert (till.write(request).state, till.entries()) == (WriteState.DONE, {"asked": 1})
        till.pass_by(hours=1)
        till.run()
        till.pass_by(hours=1)
        till.run()
        assert (till.entries(), till.model.acted()) == (ONCE, 1)


def test_what_the_provider_refuses_is_told_and_frees_the_bound(till: Till) -> None:
    request = till.agreed(REFUND, refund("99.00"))
    till.model.is_stern = True
    till.run()
    write = till.write(request)
    assert (write.state, write.error) == (WriteState.REFUSED, "That is not possible any more.")
    assert till.entries() == {"asked": 1, "refused": 1}
    told_to = "SELECT count(*) FROM notice WHERE kind = 'provider_refused' AND to_staff = ?"
    assert till.stage.count(told_to, PEOPLE["finance"].id) == 1
    till.model.is_stern = False
    till.agreed(REFUND, refund("99.00"))
    till.run()
    assert refunded(till) == 9_900


def test_a_refusal_of_a_second_try_is_not_believed_where_the_first_one_acted(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.model.fails_after = 1
    request = till.agreed(REFUND, refund("40.00"))
    till.run()
    late, real = [None], till.model.carried_out

    def carried_out(command: Command, *, key: str) -> Snapshot | None:
        return late.pop() if late else real(command, key=key)

    monkeypatch.setattr(till.model, "carried_out", carried_out)
    till.model.is_stern = True
    till.pass_by(minutes=5)
    till.run()
    assert (till.write(request).state, refunded(till), till.entries()) == (WriteState.DONE, 4_000, ONCE)


def test_a_look_up_that_is_refused_is_never_taken_for_a_refund_that_is(file_till: Till) -> None:
    till = file_till
    till.model.fails_after = 1
    request = till.agreed(REFUND, refund("40.00"))
    till.run()
    till.model.is_blind = True
    for _ in range(till.job().most_attempts):
        till.pass_by(hours=24)
        till.run()
    assert till.job_now(till.job().id).state is JobState.DEAD
    assert till.write(request).state is WriteState.SENT
    assert till.entries() == {"asked": 1, "unsettled": 1}
    till.open()
    with pytest.raises(AssertionError, match=r"59\.00 EUR can be refunded"):
        till.ask(REFUND, refund("60.00"))


def test_a_credit_note_that_refunds_counts_against_the_payment_at_once(till: Till) -> None:
    asked = {"invoice": "in_1", "amount": "90.00", "back": "90.00", "currency": "EUR", "to": "refund"}
    till.agreed(CREDIT, {**asked, "why": "order_change"})
    with pytest.raises(AssertionError, match=r"9\.00 EUR can be refunded"):
        till.ask(REFUND, refund("9.01"))
    till.run()
    with pytest.raises(AssertionError, match=r"9\.00 EUR can be refunded"):
        till.ask(REFUND, refund("9.01"))
    till.agreed(REFUND, refund("9.00"))
    till.run()
    assert refunded(till) == 9_900


def test_a_payment_pays_an_open_invoice_and_is_then_used_up(till: Till) -> None:
    raw = {"payment": "pi_2", "invoice": "in_2", "amount": "50.00", "currency": "EUR"}
    till.agreed(APPLY, raw)
    with pytest.raises(AssertionError, match=r"At most 0\.00 EUR can be applied"):
        till.ask(APPLY, raw)
    till.run()
    with pytest.raises(AssertionError, match=r"At most 0\.00 EUR can be applied"):
        till.ask(APPLY, raw)
    assert till.mirrored(ObjectKind.INVOICE, "in_2") == till.model.thing(ObjectKind.INVOICE, "in_2")


def test_a_command_that_somebody_else_moves_meanwhile_is_left_to_them(
    file_till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = file_till
    request = till.agreed(REFUND, refund("40.00"))
    real = till.model.carry_out

    def carry_out(command: Command, *, key: str) -> Snapshot:
        monkeypatch.undo()
        made = real(command, key=key)
        job = replace(till.job(), lease_until=till.clock.now().replace(year=2030))
        carry_out_write(till.stage.house, job)  # another worker, which took this one for dead
        return made

    monkeypatch.setattr(till.model, "carry_out", carry_out)
    till.run()
    assert (till.write(request).state, refunded(till), till.entries()) == (WriteState.DONE, 4_000, ONCE)
    assert till.job_now(till.job().id).state is JobState.QUEUED
    till.pass_by(minutes=5)
    till.run()
    assert (till.job_now(till.job().id).state, till.entries()) == (JobState.SUCCEEDED, ONCE)
