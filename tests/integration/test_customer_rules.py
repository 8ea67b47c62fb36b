"""Who sets the rules that a customer has for staff: by link, by program, by staff, and when two do at once."""

from dataclasses import replace

import pytest

from console.domain.trust.access_policy import ImpersonationRule, Notify
from console.domain.trust.letters import LetterKind
from console.storage.access_policies import StoredAccessPolicies
from console.usecases.customer_door import NotAllowed, NotKnown
from console.usecases.customer_policy import (
    Overtaken,
    PolicySheet,
    Wanted,
    read_policy_by_token,
    set_policy_by_link,
    set_policy_by_token,
    show_policy,
)
from console.usecases.outcomes import Ran, Waiting
from tests.integration.customer_desk import FROM, POLICY, SMALL, Desk, desk, policy_link, token_of
from tests.integration.overtaking import overtake
from tests.integration.stage import CONTRACT, tenant

__all__ = ["desk"]


def test_an_administrator_sets_the_rules_once_per_link(desk: Desk) -> None:
    strict = Wanted(impersonation=ImpersonationRule.REFUSED, notify=Notify.EACH)
    link = policy_link(desk)
    assert isinstance(show_policy(desk.stage.house, link=link, origin=FROM), PolicySheet)
    changed = set_policy_by_link(desk.stage.house, link=link, wanted=strict, origin=FROM)
    assert isinstance(changed, PolicySheet)
    assert changed.is_changed
    again = set_policy_by_link(desk.stage.house, link=link, wanted=strict, origin=FROM)
    assert isinstance(again, Overtaken)
    assert desk.refused() == ["the rules were changed meanwhile"]
    with desk.stage.house.store.read() as unit:
        assert unit.access_policies.of(tenant("acme")).impersonation is ImpersonationRule.REFUSED
        assert unit.access_policies.of(tenant("globex")).impersonation is ImpersonationRule.ALLOWED
    assert desk.stage.entries("access_policy.changed") == 1
    desk.deliver()
    assert {each.kind for each in desk.post.taken} == {LetterKind.POLICY_CHANGED}


def test_two_who_set_the_rules_at_once_do_not_overwrite_each_other(desk: Desk) -> None:
    token = token_of(desk, opens="decide")
    link = policy_link(desk)
    first = Wanted(impersonation=ImpersonationRule.CONSENT, notify=Notify.DIGEST)
    second = Wanted(impersonation=ImpersonationRule.ALLOWED, notify=Notify.EACH)
    set_policy_by_token(desk.stage.house, token=token, wanted=first, origin=FROM)
    assert isinstance(set_policy_by_link(desk.stage.house, link=link, wanted=second, origin=FROM), Overtaken)


def test_staff_tighten_alone_and_loosen_together(desk: Desk) -> None:
    desk.stage.open("support_agent", "acme", CONTRACT)
    strict = {"impersonation": "refused", "notify": "each"}
    assert isinstance(desk.stage.ask("support_agent", "acme", POLICY, strict), Ran)
    loose = {"impersonation": "allowed", "notify": "each"}
    assert isinstance(desk.stage.ask("support_agent", "acme", POLICY, loose), Waiting)


def test_a_customer_is_written_to_about_rules_that_staff_changed(desk: Desk) -> None:
    desk.stage.open("support_agent", "acme", CONTRACT)
    assert isinstance(
        desk.stage.ask("support_agent", "acme", POLICY, {"impersonation": "refused", "notify": "each"}), Ran
    )
    desk.deliver()
    told = [each for each in desk.post.taken if each.kind is LetterKind.POLICY_CHANGED]
    assert {each.to for each in told} == {"admin@acme.example", "boss@acme.example"}
    assert all("Impersonation: refused. Letters: each." in each.text for each in told)


REFUSED = Wanted(impersonation=ImpersonationRule.REFUSED, notify=Notify.EACH)


@SMALL
def test_a_link_that_shows_the_rules_opens_nothing_else_and_nothing_once_it_is_used(desk: Desk) -> None:
    house, consent = desk.stage.house, desk.ask()
    for link in (desk.link(consent), "guess"):
        assert isinstance(show_policy(house, link=link, origin=FROM), NotKnown)
        assert isinstance(set_policy_by_link(house, link=link, wanted=REFUSED, origin=FROM), NotKnown)
    used = policy_link(desk)
    set_policy_by_link(house, link=used, wanted=REFUSED, origin=FROM)
    assert isinstance(show_policy(house, link=used, origin=FROM), Overtaken)
    assert desk.refused() == ["the rules were changed meanwhile"]
    assert (desk.stage.entries("access_policy.read"), desk.stage.entries("access_policy.changed")) == (0, 1)


@SMALL
def test_a_program_reads_and_tightens_the_rules_only_with_a_token_that_may_decide(desk: Desk) -> None:
    house, log, decide = desk.stage.house, token_of(desk, opens="log"), token_of(desk, opens="decide")
    for token, kind in (("guess", NotKnown), (log, NotAllowed), (decide, PolicySheet)):
        assert isinstance(read_policy_by_token(house, token=token, origin=FROM), kind)
        assert isinstance(set_policy_by_token(house, token=token, wanted=REFUSED, origin=FROM), kind)
    assert desk.refused() == ["this token may not decide"] * 2
    assert (desk.stage.entries("access_policy.read"), desk.stage.entries("access_policy.changed")) == (1, 1)
    sheet = read_policy_by_token(house, token=decide, origin=FROM)
    assert isinstance(sheet, PolicySheet)
    assert (sheet.policy.impersonation, sheet.policy.version) == (ImpersonationRule.REFUSED, 1)


@SMALL
def test_rules_that_stand_already_are_not_changed_and_nobody_is_written_to(desk: Desk) -> None:
    token = token_of(desk, opens="decide")
    assert isinstance(set_policy_by_token(desk.stage.house, token=token, wanted=REFUSED, origin=FROM), PolicySheet)
    again = set_policy_by_token(desk.stage.house, token=token, wanted=REFUSED, origin=FROM)
    assert isinstance(again, PolicySheet)
    assert (again.is_changed, again.policy.version, desk.stage.entries("access_policy.changed")) == (False, 1, 1)


@SMALL
def test_whoever_sets_the_rules_a_moment_later_is_told_and_writes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def somebody_else(book: StoredAccessPolicies, *_given: object, **_named: object) -> None:
        loose = replace(book.of(tenant("acme")), notify=Notify.DIGEST)
        assert putting(book, tenant("acme"), loose, by="somebody else", at=desk.clock.now())

    putting = StoredAccessPolicies.put
    overtake(monkeypatch, StoredAccessPolicies, "put", somebody_else)
    answer = set_policy_by_link(desk.stage.house, link=policy_link(desk), wanted=REFUSED, origin=FROM)
    assert isinstance(answer, Overtaken)
    assert (desk.refused(), desk.stage.entries("access_policy.changed")) == (["the rules were changed meanwhile"], 0)
    with desk.stage.house.store.read() as unit:
        assert unit.access_policies.of(tenant("acme")).impersonation is ImpersonationRule.ALLOWED
