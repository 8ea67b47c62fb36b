"""How many questions policy answers in a second: one at a time, and the thirty of a page in one go."""

import time
from dataclasses import replace

from console.domain.decisions import Query
from console.domain.ids import ActionKey, PersonKey, ReasonCode, StaffId, TenantId
from console.domain.staff import Role, StaffKind
from console.policy.book import PolicyBook
from console.policy.decide import decide, decide_many
from tests.bench.tables import Result, Table

_BATCH = 30
_TENANT = TenantId("ten_acme")


def table(book: PolicyBook, *, seconds: float) -> Table:
    """Measure decisions per second of processor time."""
    page = [_question(book, key) for key in sorted(book.actions)]
    page = (page * _BATCH)[:_BATCH]
    override = next(question for question in page if question.action == "entitlement.override")
    single = _rate(lambda: decide(book, override), seconds)
    batch = _rate(lambda: decide_many(book, page), seconds) * _BATCH
    return Table(
        title="Policy",
        heads=("item", "what", "decisions/s", "us each"),
        results=(
            Result(key="one", cells=("an override, asked alone", f"{single:,.0f}", f"{1e6 / single:,.0f}")),
            Result(key="page", cells=(f"{_BATCH} actions of a page, one call", f"{batch:,.0f}", f"{1e6 / batch:,.0f}")),
        ),
    )


def _question(book: PolicyBook, key: ActionKey) -> Query:
    asked = Query(
        actor=StaffId("stf_agent"),
        person=PersonKey("local|stf_agent"),
        roles=frozenset({Role.SUPPORT_AGENT}),
        kind=StaffKind.PERSON,
        action=key,
        tenant=_TENANT,
        leased_tenant=_TENANT,
        reason=ReasonCode("CONTRACT_CHANGE"),
        step_up_age_s=20,
        requesters=frozenset(),
        facts={},
    )
    if key == "entitlement.override":
        facts = {"is_paid_raise": True, "is_raise": True, "increase_percent": 100, "days": 90}
        asked = replace(asked, facts=facts)
    return asked


def _rate(call: object, seconds: float) -> float:
    if not callable(call):
        raise TypeError(call)
    call()
    done, started = 0, time.process_time()
    while (spent := time.process_time() - started) < seconds:
        call()
        done += 1
    return done / spent
