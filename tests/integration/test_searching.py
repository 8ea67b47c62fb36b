"""The one search box over real storage: what it finds, and what the trail keeps of what was typed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.domain.canonical import parse_canonical
from console.domain.decisions import Deny, DenyCode
from console.domain.imports import MemberRecord
from console.domain.tenancy import SearchKind
from console.usecases.search_directory import SearchAnswer, search_directory
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON, HandClock, TestFingerprints
from tests.integration.stage import Stage, new_urls, opened_stage, rows, settle_in

ADDRESS = "ada.lovelace@acme.example"
AS_TYPED = (
    ADDRESS,
    "Ada.Lovelace@ACME.example",
    f"  <{ADDRESS}> ",
    f"Ada Lovelace {ADDRESS} and bob@zeta.example",
    "ada.lovelace\uff20acme.example",
    "ada.lovelace\ufe6bacme.example",
    "ada.lovelace%40acme.example",
    "ada.lovelace@",
    "@acme.example",
    "INV-1@acme.example",
)


@pytest.fixture(params=ENGINES)
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database)
    with opened_stage(url, planes, clock=HandClock()) as opened:
        settle_in(opened, ["acme", "zeta"])
        with opened.storage.bulk.write() as bulk:
            ada = MemberRecord(
                tenant="acme", external_id="m1", name="Ada Lovelace", email=ADDRESS, phone=None, role="owner",
                is_active=True, joined_at=NOON, last_seen_at=None,
            )  # fmt: skip
            bulk.put([ada])
        yield opened


def found(stage: Stage, typed: str, who: str = "support_agent") -> SearchAnswer:
    answer = search_directory(stage.house, stage.actor(who), typed=typed)
    assert isinstance(answer, SearchAnswer), answer
    return answer


def bodies(stage: Stage) -> list[str]:
    return [str(body) for (body,) in rows(stage.url, "SELECT body FROM audit_event ORDER BY id")]


def newest_facts(stage: Stage) -> object:
    (body,) = rows(stage.url, "SELECT body FROM audit_event ORDER BY id DESC LIMIT 1")[0]
    entry = parse_canonical(str(body).encode())
    assert isinstance(entry, dict)
    return entry["facts"]


def test_no_search_leaves_an_address_in_an_entry(stage: Stage) -> None:
    for typed in AS_TYPED:
        found(stage, typed)
        refused = search_directory(stage.house, stage.actor("administrator"), typed=typed)
        assert isinstance(refused, Deny)
    kept = [body.casefold() for body in bodies(stage)]
    assert stage.entries("directory.search") == len(AS_TYPED)
    for part in ("ada.lovelace", "acme.example", "bob"):
        assert not [body for body in kept if part in body]


def test_a_search_that_is_slowed_leaves_no_address_either(stage: Stage) -> None:
    for _ in range(stage.house.book.limits.searches_per_minute):
        found(stage, ADDRESS)
    slowed = search_directory(stage.house, stage.actor("support_agent"), typed=ADDRESS)
    assert isinstance(slowed, Deny)
    assert slowed.code is DenyCode.THROTTLED
    assert not [body for body in bodies(stage) if "lovelace" in body]


def test_who_searched_for_an_address_can_be_asked_by_its_keyed_digest(stage: Stage) -> None:
    (hit,) = found(stage, "Ada.Lovelace@acme.EXAMPLE").hits
    assert (hit.tenant.slug, hit.matched) == ("acme", SearchKind.MEMBER_EMAIL)
    assert newest_facts(stage) == {"query_digest": TestFingerprints().of(ADDRESS), "kinds": "member_email"}


def test_what_names_nobody_is_kept_as_it_was_typed(stage: Stage) -> None:
    found(stage, " Acme GmbH ")
    assert newest_facts(stage) == {"query": "Acme GmbH", "kinds": "name"}
