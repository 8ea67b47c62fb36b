"""Two approvals that make one customer two tenants': the second is refused, on whatever planes they are."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.domain.ids import ExecutionId
from console.domain.reasons import Reason
from console.domain.requests import Request, State
from console.storage.reservations import StoredReservations
from console.usecases.execute_request import execute_request
from console.usecases.outcomes import Failed, Ran, Unsettled, Waiting
from console.usecases.recover_executions import recover_executions
from tests.billing import A_CUSTOMER
from tests.conftest import NewDatabase
from tests.databases import ENGINES
from tests.integration.money_stage import LINK, Till, opened_till
from tests.integration.stage import CONTRACT, tenant
from tests.integration.test_money_races import at_once

ROUNDS = 6
HELD = "SELECT count(*) FROM execution_reservation"


@pytest.fixture(params=["one plane", "two planes"])
def till(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Till]:
    far = request.param == "two planes"
    with opened_till("postgresql", tmp_path, pg_database, slow=True, far=far) as opened:
        opened.stage.open("finance", "zeta", CONTRACT)
        yield opened


@pytest.fixture(params=ENGINES)
def either(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Till]:
    with opened_till(request.param, tmp_path, pg_database, slow=True, far=True) as opened:
        opened.stage.open("finance", "zeta", CONTRACT)
        yield opened


def approved(till: Till, slug: str, customer: str) -> Request:
    """Return an approved request that says by a document that the customer is this tenant."""
    till.model.knows(replace(A_CUSTOMER, id=customer))
    reason: Reason = replace(CONTRACT, note=f"Signed for {customer} on 3 May.")
    answer = till.stage.ask("finance", slug, LINK, {"customer": customer, "proof": "document"}, reason=reason)
    assert isinstance(answer, Waiting), answer
    for who in ("finance_lead", "support_lead"):
        till.stage.approve(who, answer.request)
    assert till.stage.now(answer.request.id).state is State.APPROVED
    return answer.request


def claims(till: Till, customer: str) -> int:
    """Return how many tenants have a live link to a customer, over all planes."""
    return len(till.stage.house.customer_claims.of([customer]).get(customer, ()))


def raced(till: Till, customer: str) -> list[object]:
    """Approve the customer for both tenants, and run both in the same moment."""
    both = [approved(till, slug, customer) for slug in ("acme", "zeta")]
    actor = till.stage.actor("finance")
    return at_once([lambda each=each: execute_request(till.stage.house, actor, request_id=each.id) for each in both])  # type: ignore[misc]


def test_two_links_of_one_customer_at_once_have_one_effect(till: Till) -> None:
    for number in range(ROUNDS):
        customer = f"cus_raced{number}"
        answers = raced(till, customer)
        assert claims(till, customer) == 1, answers
        assert sum(isinstance(each, Ran) for each in answers) == 1, answers
    assert till.stage.count(HELD) == 0


def test_its_race_would_catch_links_that_hold_nothing(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StoredReservations, "take", lambda *_all, **_named: True)
    assert any(_twice(till, f"cus_careless{number}") for number in range(4 * ROUNDS))


def _twice(till: Till, customer: str) -> bool:
    raced(till, customer)
    return claims(till, customer) > 1


def test_the_second_is_refused_while_the_first_is_on_its_way_to_another_plane(either: Till) -> None:
    till, customer = either, "cus_far1"
    first, second = (approved(till, slug, customer) for slug in ("acme", "zeta"))
    actor = till.stage.actor("finance")
    with till.stage.storage.store.write() as unit:
        assert unit.reservations.take(
            f"billing customer {customer}", execution=ExecutionId("exe_1"), at=till.clock.now()
        )
    answer = execute_request(till.stage.house, actor, request_id=second.id)
    assert isinstance(answer, Failed)
    assert "at the same thing right now" in answer.sentence
    assert claims(till, customer) == 0
    with till.stage.storage.store.write() as unit:
        unit.reservations.free(ExecutionId("exe_1"))
    assert isinstance(execute_request(till.stage.house, actor, request_id=first.id), Ran)
    assert (claims(till, customer), till.stage.count(HELD)) == (1, 0)


def test_a_process_that_stopped_half_way_holds_the_customer_until_it_is_settled(
    either: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till, customer = either, "cus_stopped1"
    first, second = (approved(till, slug, customer) for slug in ("acme", "zeta"))
    actor = till.stage.actor("finance")
    with monkeypatch.context() as stopped:
        stopped.setattr("console.usecases.execute_request.settle", lambda _house, _actor, answer: answer)
        assert isinstance(execute_request(till.stage.house, actor, request_id=first.id), Unsettled)
    assert till.stage.count(HELD) == 1
    assert isinstance(execute_request(till.stage.house, actor, request_id=second.id), Failed)
    till.pass_by(hours=1)
    recover_executions(till.stage.house)
    assert (claims(till, customer), till.stage.count(HELD)) == (0, 0)


def test_what_was_linked_in_between_is_seen_by_the_one_that_waited(either: Till) -> None:
    till, customer = either, "cus_between1"
    first, second = (approved(till, slug, customer) for slug in ("acme", "zeta"))
    actor = till.stage.actor("finance")
    assert isinstance(execute_request(till.stage.house, actor, request_id=first.id), Ran)
    answer = execute_request(till.stage.house, actor, request_id=second.id)
    assert not isinstance(answer, Ran)
    with till.opened("acme") as plane:
        assert customer in {link.customer for link in plane.customers.links()}
    assert till.stage.house.customer_claims.of([customer])[customer] == (tenant("acme"),)
