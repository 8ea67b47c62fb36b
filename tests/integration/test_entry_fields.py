"""Every entry says which build wrote it and where, of which region a tenant is, and how a request's version moved."""

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from platform import node
from typing import Any

import pytest

from console.app.building import opened_building
from console.domain.canonical import parse_canonical
from console.domain.entries import Program
from console.domain.requests import State
from console.settings import load_settings
from console.usecases.change_request import revoke_request
from console.usecases.execute_request import execute_request
from console.usecases.outcomes import Ran
from console.usecases.start_house import stop_house
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock, sqlite_url
from tests.integration.sending_world import settings_of
from tests.integration.stage import OVERRIDE, Stage, book, by_hand, new_urls, opened_stage, rows, settle_in

PROGRAM = Program(build="3f2a9c1", host="console-1")


@pytest.fixture(params=ENGINES)
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database)
    policy = by_hand(book(), OVERRIDE)
    with opened_stage(url, planes, clock=HandClock(), policy=policy, program=PROGRAM) as opened:
        settle_in(opened, ["acme"])
        opened.open("support_agent", "acme")
        yield opened


def entries(stage: Stage, correlation: str | None = None) -> list[dict[str, Any]]:
    found = []
    for (body,) in rows(stage.url, "SELECT body FROM audit_event ORDER BY id"):
        entry = parse_canonical(str(body).encode())
        assert isinstance(entry, dict)
        if correlation in {None, entry["correlation"]}:
            found.append(entry)
    return found


def versions(stage: Stage, request: str) -> list[tuple[str, int | None, int | None]]:
    return [
        (str(entry["action"]), entry["targets"][0]["version_before"], entry["targets"][0]["version_after"])
        for entry in entries(stage, request)
        if entry["targets"] and entry["targets"][0]["type"] == "request"
    ]


def test_every_entry_names_the_build_and_the_host(stage: Stage) -> None:
    assert {(each["program"]["build"], each["program"]["host"]) for each in entries(stage)} == {
        ("3f2a9c1", "console-1")
    }


def test_an_entry_about_a_tenant_names_its_region(stage: Stage) -> None:
    stage.filed("support_agent", "acme", 200)
    about = [entry["tenant"]["region"] for entry in entries(stage) if entry["tenant"] is not None]
    assert about
    assert set(about) == {"eu"}


def test_the_versions_of_a_request_join_from_filing_to_its_execution(stage: Stage) -> None:
    request = stage.filed("support_agent", "acme", 200)
    stage.approve("finance_lead", request)
    ran = execute_request(stage.house, stage.actor("support_agent"), request_id=request.id)
    assert isinstance(ran, Ran), ran
    assert versions(stage, request.id) == [
        ("request.proposed", None, 1),
        ("request.read", 1, None),
        ("request.vote", 1, 2),
        ("request.approved", 1, 2),
        ("action.executed", 3, 4),
    ]
    assert stage.now(request.id).version == 4


def test_what_only_ends_a_request_moves_its_version_too(stage: Stage) -> None:
    request = stage.filed("support_agent", "acme", 200)
    stage.approve("finance_lead", request)
    revoke_request(stage.house, stage.actor("finance_lead"), request_id=request.id, because="no longer wanted")
    assert stage.now(request.id).state is State.REVOKED
    assert versions(stage, request.id)[-1] == ("request.revoked", 2, 3)
    assert stage.now(request.id).version == 3


@pytest.mark.parametrize(("named", "told"), [({"SALLYPORT_SERVER__BUILD": "3f2a9c1"}, "3f2a9c1"), ({}, None)])
def test_a_house_writes_under_the_build_of_its_settings(
    tmp_path: Path, named: dict[str, str], told: str | None
) -> None:
    url = sqlite_url(tmp_path / "control.db")
    with opened_building(load_settings(settings_of(url, tmp_path) | named)) as building:
        stop_house(building.house)
    ((body,),) = rows(url, "SELECT body FROM audit_event ORDER BY id DESC LIMIT 1")
    entry = parse_canonical(str(body).encode())
    assert isinstance(entry, dict)
    assert entry["program"] == {"build": told or version("sallyport"), "host": node()}
