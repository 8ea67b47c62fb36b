"""The page that says what a tenant may use, why, and what changes next; now and at another moment."""

from datetime import timedelta

import pytest

from console.domain.entries import SYSTEM_ACTOR, EntryDraft
from console.domain.import_entitlements import ConditionRecord, OverrideRecord, TrialRecord, UsageRecord
from console.domain.imports import Record
from tests.databases import NOON
from tests.web.cast import Cast
from tests.web.walks import FRAGMENT, OVERRIDE, fields, opened
from tests.web.world import NORDWIND

PAGE = "/t/nordwind/entitlements"
DAY = timedelta(days=1)


def bring(cast: Cast, *records: Record) -> None:
    with cast.storage.bulk.write() as unit:
        unit.put(records)
        unit.trail.emit(EntryDraft(action="directory.imported", actor=SYSTEM_ACTOR), at=NOON)


def trial() -> TrialRecord:
    return TrialRecord(
        tenant=NORDWIND, external_id="t1", feature="seats", value=40, label="Trial of Grand", starts_at=NOON - DAY,
        until=NOON + 3 * DAY,
    )  # fmt: skip


def use(count: int) -> UsageRecord:
    return UsageRecord(tenant=NORDWIND, feature="seats", used=count, starts_at=NOON - DAY, until=None, as_of=NOON - DAY)


def test_it_says_what_changes_next_and_shows_that_moment(cast: Cast) -> None:
    bring(cast, trial())
    agent = opened(cast)
    now = agent.get(PAGE).text
    stop = now.partition('class="stops__at" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert stop.startswith(f"{PAGE}?at=")
    assert "Trial of Grand" in now
    later = agent.get(stop)
    assert later.status_code == 200
    assert "You are looking at another moment" in later.text
    assert "expired" in later.text
    assert "Nothing changes" in later.text
    part = agent.get(stop, headers=FRAGMENT)
    assert part.status_code == 200
    assert "You are looking at another moment" in part.text


@pytest.mark.parametrize("question", ["at=2026-12-24T00:00", "at=2026-12-24T01:00%2B01:00", "days=30", "days=-366"])
def test_it_offers_actions_only_for_now(cast: Cast, question: str) -> None:
    agent = opened(cast)
    assert f"{OVERRIDE}?feature=seats" in agent.get(PAGE).text
    text = agent.get(f"{PAGE}?{question}").text
    assert "You are looking at another moment" in text
    assert OVERRIDE not in text


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("at=yesterday", "Write a moment like"),
        ("at=0001-01-01T00:00%2B23:00", "Write a moment like"),
        ("at=9999-12-31T00:00", "between 1970 and 2200"),
        ("at=1969-12-31T23:59", "between 1970 and 2200"),
        ("days=soon", "Choose a number of days"),
        ("days=99999999999999999999", "Choose a number of days"),
        ("days=--3", "Choose a number of days"),
        ("days=%D9%A3", "Choose a number of days"),
    ],
)
def test_it_shows_now_and_says_so_when_the_moment_is_none(cast: Cast, question: str, words: str) -> None:
    answer = opened(cast).get(f"{PAGE}?{question}")
    assert answer.status_code == 200
    assert words in answer.text
    assert "Shown as it is now" in answer.text


@pytest.mark.parametrize("question", ["", "?at=", "?days=0", "?days="])
def test_it_shows_now_when_nothing_else_is_asked(cast: Cast, question: str) -> None:
    text = opened(cast).get(f"{PAGE}{question}").text
    assert "You are looking at another moment" not in text
    assert "Shown as it is now" not in text


@pytest.mark.parametrize(
    ("count", "words"), [(159, ""), (160, "80 % used"), (200, "100 %: used up"), (201, "Above the limit")]
)
def test_it_warns_at_eighty_and_a_hundred_percent(cast: Cast, count: int, words: str) -> None:
    bring(cast, use(count))
    text = opened(cast).get(PAGE).text
    assert f"{count} of 200" in text
    assert ("Use is near or above what is included" in text) is bool(words)
    assert words in text


def test_it_names_what_blocks_a_tenant_beside_every_source(cast: Cast) -> None:
    condition = ConditionRecord(
        tenant=NORDWIND, external_id="x", condition="blocked", cause="<Fraud> review", starts_at=NOON - DAY,
        until=NOON + DAY,
    )  # fmt: skip
    bring(cast, condition)
    text = opened(cast).get(PAGE).text
    assert "Access is blocked" in text
    assert "access is blocked: &lt;Fraud&gt; review" in text
    assert "<Fraud>" not in text


def test_it_previews_what_else_changes_with_an_override(cast: Cast) -> None:
    bring(cast, use(160))
    agent = opened(cast)
    form = {**fields(agent.get(OVERRIDE), OVERRIDE), "feature": "seats", "value": "100", "until": "2027-03-01"}
    text = agent.post(OVERRIDE, {**form, "step": "preview"}).text
    assert "What the tenant may use" in text
    assert "Access changes at once: 1 feature." in text
    assert "160 seats are in use, more than this gives: above the limit." in text


def test_it_says_of_each_feature_until_when_its_own_value_holds(cast: Cast) -> None:
    override = OverrideRecord(
        tenant=NORDWIND, external_id="more-1", feature="seats", value=300, label="Contract", reference="CTR-2026-0117",
        starts_at=NOON - DAY, until=NOON + 90 * DAY, ended_at=None, op="set",
    )  # fmt: skip
    grace = ConditionRecord(
        tenant=NORDWIND, external_id="grace-1", condition="grace", cause="An invoice is overdue", starts_at=NOON - DAY,
        until=NOON + 9 * DAY,
    )  # fmt: skip
    bring(cast, override, grace)
    text = opened(cast).get(PAGE).text
    assert "until 30 Nov 2026, 12:00 UTC" in text, "what is granted in grace ends then"
    row = text.partition('<span class="cell__sub mono">seats</span>')[2].partition("</tr>")[0]
    until = row.partition('<td class="cell--time">')[2].partition("</td>")[0]
    assert "19 Feb 2027, 12:00 UTC" in until


def test_it_refuses_an_override_that_a_deny_stands_above(cast: Cast) -> None:
    deny = OverrideRecord(
        tenant=NORDWIND, external_id="deny-1", feature="seats", value=0, label="Abuse case A-1", reference="A-1",
        starts_at=NOON - DAY, until=NOON + 9 * DAY, ended_at=None, op="deny",
    )  # fmt: skip
    bring(cast, deny)
    agent = opened(cast)
    assert "denies it" in agent.get(PAGE).text
    form = {**fields(agent.get(OVERRIDE), OVERRIDE), "feature": "seats", "value": "100", "until": "2027-03-01"}
    assert "This would have no effect: Abuse case A-1" in agent.post(OVERRIDE, {**form, "step": "preview"}).text
