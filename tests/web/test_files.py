"""Files and answers for programs: each names its type, and what is a file is saved under a safe name, never shown."""

import re

import pytest

from console.domain.periods import PeriodState
from tests.web.cast import Browser, Cast
from tests.web.customer_stage import TOKEN, trust
from tests.web.period_stage import OCTOBER, period_in
from tests.web.world import TENANTS

FILES = f"/reconciliation/periods/{OCTOBER}/files"
SAFE = re.compile(r'attachment; filename="2026-10-[a-z_]+\.[a-z]+"')
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
TEXT = "text/plain; charset=utf-8"


@pytest.fixture
def sealed(cast: Cast) -> Cast:
    period_in(cast, PeriodState.CLOSED)
    return cast


def names(cast: Cast) -> list[str]:
    """Return the names of the files of October."""
    with cast.house.store.read() as unit:
        return [file.name for file in unit.periods.get(OCTOBER).files]


@pytest.mark.checklist("V3.2.1")
@pytest.mark.checklist("V4.1.1")
@pytest.mark.checklist("V5.4.2")
def test_it_hands_every_file_out_to_be_saved_under_a_safe_name(sealed: Cast) -> None:
    finance = sealed.sign_in("finance")
    assert {name.rpartition(".")[2] for name in names(sealed)} >= set(TYPES)
    for name in names(sealed):
        answer = finance.get(f"{FILES}/{name}")
        assert answer.status_code == 200, name
        assert answer.headers["Content-Type"] == TYPES.get(name.rpartition(".")[2], TEXT), name
        assert SAFE.fullmatch(answer.headers["Content-Disposition"]), name
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert int(answer.headers["Content-Length"]) == len(answer.data)


@pytest.mark.checklist("V5.4.2")
@pytest.mark.parametrize(
    "name", ['x".html', "..%2f2026-09%2fjournal.csv", "journal.csv%0d%0aX-A: b", "Journal.csv", "%e2%80%ae.csv"]
)
def test_it_knows_a_file_by_its_sealed_name_only(sealed: Cast, name: str) -> None:
    answer = sealed.sign_in("finance").get(f"{FILES}/{name}")
    assert answer.status_code == 404
    assert "Content-Disposition" not in answer.headers


@pytest.mark.checklist("V4.1.1")
def test_it_names_the_type_of_every_answer_to_a_program(cast: Cast, agent: Browser) -> None:
    trust(cast, TENANTS["nordwind"])
    client, bearer = cast.stranger().client, {"Authorization": f"Bearer {TOKEN}"}
    answers = {
        "the keys that sign": client.get("/.well-known/jwks.json"),
        "the customer's log": client.get("/customer/access-log?after=0", headers=bearer),
        "a call without a token": client.get("/customer/access-log?after=0"),
        "a call that the token does not open": client.get("/customer/api/policy", headers=bearer),
        "the product's call without a secret": client.post("/product/introspect"),
        "an event of a provider that nobody knows": client.post("/inbound/nobody", data=b"{}"),
        "a mishap told to a program": agent.get("/nowhere", Accept="application/json"),
    }
    told = {what: answer.headers["Content-Type"] for what, answer in answers.items()}
    assert told.pop("the keys that sign") == "application/jwk-set+json"
    assert told.pop("an event of a provider that nobody knows") == TEXT
    assert set(told.values()) == {"application/json"}, told
    assert all(answer.headers["X-Content-Type-Options"] == "nosniff" for answer in answers.values())
    for page in ("/nowhere", "/t/nordwind/members", "/customer/consents/forged"):
        assert agent.get(page).headers["Content-Type"] == "text/html; charset=utf-8"
