"""Promises that no single page keeps: limits that are written down, nobody who starves, accounts that fall asleep."""

import re
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from werkzeug.test import TestResponse

from tests.architecture.tree import ROOT
from tests.attacks.door import Door, opened_door
from tests.web.cast import PEOPLE

LIMITS = tomllib.loads((ROOT / "policies" / "limits.toml").read_text())
READERS = ("support_agent", "support_lead", "finance", "engineer")
READS = 12


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened_door(tmp_path / "promises.db") as door:
        yield door


@pytest.mark.checklist("V2.1.3")
@pytest.mark.checklist("V6.1.1")
@pytest.mark.checklist("V7.1.1")
def test_it_writes_every_limit_down_with_its_reason() -> None:
    text = (ROOT / "docs" / "roles.md").read_text()
    written = dict(re.findall(r"^\| `([a-z_]+)` \| (\d+) \| .{20,} \|$", text, re.MULTILINE))
    assert written == {name: str(value) for name, value in LIMITS.items()}


@pytest.mark.checklist("V3.2.1")
@pytest.mark.checklist("V3.4.6")
def test_it_is_framed_by_nobody_and_renders_no_answer_of_a_program(door: Door) -> None:
    agent = door.enter()
    for path in ("/", "/sign-in", "/nowhere", "/healthz", "/static/css/base.css"):
        answer = agent.get(path)
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    told = agent.get("/nowhere", Accept="application/json")
    assert (told.mimetype, told.headers["X-Content-Type-Options"]) == ("application/json", "nosniff")


@pytest.mark.checklist("V15.4.1")
def test_it_serves_several_people_at_once_without_a_gap(door: Door) -> None:
    browsers = {who: door.enter(who) for who in READERS}
    before = door.cast.count("home.read")
    answers: list[tuple[str, TestResponse]] = []

    def read(who: str) -> None:
        answers.extend((who, browsers[who].client.get("/", buffered=True)) for _ in range(READS))

    threads = [threading.Thread(target=read, args=(who,)) for who in READERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.status_code for _who, answer in answers] == [200] * READS * len(READERS)
    for who, answer in answers:
        others = [PEOPLE[other].name for other in READERS if other != who]
        assert PEOPLE[who].name in answer.text
        assert not [name for name in others if name in answer.text]
    told = door.cast.entries("home.read")[before:]
    assert len(told) == READS * len(READERS)
    counts: dict[str, list[int]] = {}
    for entry in door.cast.entries():
        counts.setdefault(entry["w"][0], []).append(entry["w"][1])
    assert all(sorted(numbers) == list(range(min(numbers), max(numbers) + 1)) for numbers in counts.values())


@pytest.mark.checklist("V15.2.2")
@pytest.mark.checklist("V15.4.4")
def test_it_answers_for_its_health_while_somebody_holds_the_database(door: Door) -> None:
    with door.cast.house.store.write():
        started = monotonic()
        answer = door.cast.stranger().get("/healthz")
        assert monotonic() - started < 4  # whoever waits for the database gives up after five
    assert answer.status_code == 200


@pytest.mark.checklist("PCI-8.2.6")
def test_it_lets_nobody_in_after_ninety_days_away(door: Door) -> None:
    door.enter("support_agent")
    door.cast.clock.pass_by(days=LIMITS["staff_unused_days"] + 1)
    stranger, person = door.cast.stranger(), PEOPLE["support_agent"]
    stranger.get("/sign-in")
    form = {"email": person.email, "password": person.password, "code": door.cast.code("support_agent"), "next": "/"}
    attempts = door.attempts(401, "staff.sign_in_refused")
    attempts.post(stranger, "/sign-in", form)
    assert attempts.made[0].denied == ("staff.sign_in_refused",)
    assert attempts.made[0].said == 401


@pytest.mark.checklist("PCI-10.2.1.3")
@pytest.mark.checklist("V16.4.2")
def test_it_tells_of_every_reading_of_the_trail(door: Door) -> None:
    auditor = door.enter("security_auditor")
    uid = door.cast.entries("staff.sign_in")[0]["uid"]
    for number, path in enumerate(("/trail", f"/trail/{uid}", "/trail?action=lease.open"), start=1):
        assert auditor.get(path).status_code == 200
        assert door.cast.count("trail.read") == number
