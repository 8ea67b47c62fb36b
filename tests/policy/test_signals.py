"""The rules of signals: worked cases, and every fault of their files with its mend."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.domain.ids import EntryUid, StaffId, TenantId
from console.domain.signal_measures import judged
from console.domain.signals import MOST_EVIDENCE, Act, SignalKey
from console.domain.staff import Role
from console.policy.book import PolicyBook, PolicyFaultsError
from console.policy.load import load_book
from console.policy.signals import load_signal_cases, missing_signal_cases
from tests.policy.folders import Edit, add, copied, swap
from tests.policy.governed import GOVERNED, POLICIES

_ONE = "mon 09:00 ann lease.open acme"


def test_it_meets_every_worked_case(book: PolicyBook) -> None:
    cases = load_signal_cases(POLICIES, book.signals)
    assert [f"{case.file}: {case.name}" for case in cases if not case.is_met] == []
    assert list(missing_signal_cases(book.signals, cases)) == []


def test_it_is_about_everybody_however_many_they_are(book: PolicyBook) -> None:
    at, crowd = datetime(2026, 11, 23, 9, tzinfo=UTC), MOST_EVIDENCE + 5
    acts = [
        Act(
            uid=EntryUid(f"ent_{number:03}"),
            at=at + timedelta(minutes=number),
            actor=StaffId(f"stf_{number:03}"),
            action="lease.open",
            tenant=TenantId("ten_acme"),
            slug="acme",
        )
        for number in range(crowd)
    ]
    hit = judged(book.signals[SignalKey("same_tenant")], acts[-1], acts)
    assert hit is not None
    assert (len(hit.people), len(hit.evidence)) == (crowd, MOST_EVIDENCE)


@pytest.mark.parametrize("key", ["distinct_tenants", "first_time_tenants", "sequential_tenants"])
def test_an_act_that_a_rule_does_not_watch_completes_nothing(book: PolicyBook, key: str) -> None:
    at, rule = datetime(2026, 11, 23, 9, tzinfo=UTC), book.signals[SignalKey(key)]
    opened = [
        Act(
            uid=EntryUid(f"ent_{number:03}"),
            at=at + timedelta(seconds=number),
            actor=StaffId("stf_ann"),
            action="lease.open",
            tenant=TenantId(f"ten_{number:03}"),
            slug=f"acme-{number:03}",
        )
        for number in range(rule.at_least)
    ]
    assert judged(rule, opened[-1], opened) is not None
    later = replace(opened[-1], uid=EntryUid("ent_999"), at=opened[-1].at + timedelta(seconds=1), action="tenant.read")
    assert judged(rule, later, [*opened, later]) is None
    nowhere = replace(opened[0], tenant=None, slug="")
    assert judged(rule, opened[-1], [nowhere, *opened[1:]]) is None, "an act on no tenant counts as none"


def test_a_case_that_is_not_met_is_told(book: PolicyBook, tmp_path: Path) -> None:
    folder = copied(tmp_path, swap("signals/vip_tenant.toml", 'expect  = "raised"', 'expect  = "quiet"'))
    cases = load_signal_cases(folder, book.signals)
    assert [case.name for case in cases if not case.is_met] == ["a protected tenant is opened"]
    assert list(missing_signal_cases(book.signals, cases)) == [
        "policies/signals/vip_tenant.toml: no case expects raised: add one."
    ]


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (swap("signals.toml", '"step_up"\ntells', '"shout"\ntells'), "response = 'shout' is wrong"),
        (swap("signals.toml", 'measure        = "rate"', 'measure        = "mood"'), "measure = 'mood' is wrong"),
        (swap("signals.toml", '["request.vote"]', '["request.voted"]'), "unknown entry 'request.voted'"),
        (
            swap("signals.toml", "[distinct_tenants]", "loud = 3\n\n[distinct_tenants]"),
            "loud = 3 is wrong: give a table",
        ),
        (swap("signals.toml", "hours_utc      = [5, 21]", "hours_utc      = [5]"), "hours_utc holds two hours"),
        (swap("signals.toml", '"mon", ', '"monday", '), "unknown day 'monday'"),
        (swap("signals.toml", "step           = 2\n", ""), "step is missing"),
        (swap("signals.toml", "memory_days    = 90\n", "memory_days    = 90\ncolour = 1\n"), "unknown key 'colour'"),
        (
            swap(
                "signals.toml", 'tells          = ["security_auditor"]\n\n[vip', 'tells          = ["engineer"]\n\n[vip'
            ),
            "out_of_shift: tells engineer, who may not read signals",
        ),
    ],
)
def test_it_refuses_to_start(tmp_path: Path, edit: Edit, fault: str) -> None:
    with pytest.raises(PolicyFaultsError, match=re.escape(fault)):
        load_book(copied(tmp_path, edit), GOVERNED)


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("vip_tenant.toml", '[[case]]\nname = "x"\nexpect = "raised"\nacts = ["monday"]', "the act 'monday' cannot be"),
        ("vip_tenant.toml", f'[[case]]\nname = "x"\nexpect = "loud"\nacts = ["{_ONE}"]', "expect = 'loud' is wrong"),
        ("vip_tenant.toml", f'[[case]]\nname = "x"\nacts = ["{_ONE}"]', "expect is missing"),
        ("vip_tenant.toml", "[[case", "cannot be read"),
        ("nothing.toml", f'[[case]]\nname = "x"\nexpect = "quiet"\nacts = ["{_ONE}"]', "there is no rule nothing"),
    ],
)
def test_it_names_the_fault_of_a_case(book: PolicyBook, tmp_path: Path, name: str, text: str, fault: str) -> None:
    folder = copied(tmp_path, add(f"signals/{name}", text))
    with pytest.raises(PolicyFaultsError, match=re.escape(fault)):
        load_signal_cases(folder, book.signals)


def test_the_protected_tenants_of_a_company_stand_in_its_own_file(tmp_path: Path) -> None:
    folder = copied(tmp_path, swap("signals.toml", "tenants        = []", 'tenants        = ["ministry"]'))
    rule = load_book(folder, GOVERNED).signals[SignalKey("vip_tenant")]
    assert rule.tenants == {"ministry"}
    assert rule.tells == {Role.SECURITY_AUDITOR, Role.SUPPORT_LEAD}
