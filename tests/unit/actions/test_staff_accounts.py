"""The actions on staff accounts: add, change roles, deactivate, reactivate, end sessions."""

from collections.abc import Callable
from typing import Any

import pytest

from console.actions.staff import add, change_roles, deactivate, end_sessions, reactivate
from console.actions.staff.accounts import parsed_roles, roles_text
from console.domain.staff import Role, StaffKind
from tests.unit.fakes import (
    NOON,
    FakeControl,
    FakeLeases,
    FakeSessions,
    FakeStaffBook,
    Unchanged,
    fault_of,
    person,
    session,
    shown,
    tools,
)

KIM, GONE, FAR = person("kim"), person("gone", is_active=False), person("far", local=False)
SHELL = person("shell", kind=StaffKind.OPERATOR)
BY_COLLEAGUE = (deactivate, reactivate, end_sessions)


def books() -> FakeControl:
    return FakeControl(
        staff=FakeStaffBook([person("robin", Role.ADMINISTRATOR), KIM, GONE, FAR, SHELL]),
        sessions=FakeSessions([session(KIM.id), session(KIM.id, 2)]),
        leases=FakeLeases(open_count=1),
    )


def form(**other: object) -> dict[str, object]:
    base: dict[str, object] = {
        "name": " Alex  Example ",
        "email": " Alex@Company.Example ",
        "person": "",
        "roles": ("finance", "support_agent"),
    }
    return base | other


# --- add


def test_it_tidies_what_was_typed() -> None:
    built = add.ACTION.build(form())
    assert (built.name, built.email, built.person) == ("Alex Example", "alex@company.example", "")
    assert built.roles == {Role.FINANCE, Role.SUPPORT_AGENT}


def test_it_shows_a_new_account_without_adding_it() -> None:
    control = books()
    with Unchanged(control):
        seen = add.preview(add.ACTION.build(form()), tools(control=control))
    assert shown(seen) == {
        "Name": (None, "Alex Example"),
        "Address": (None, "alex@company.example"),
        "Signs in as": (None, "a local account"),
        "Roles": (None, "Finance, Support agent"),
    }
    assert seen.facts == {"grants_administrator": False}


def test_it_tells_policy_that_it_makes_an_administrator() -> None:
    built = add.ACTION.build(form(roles=("administrator",)))
    assert add.preview(built, tools(control=books())).facts == {"grants_administrator": True}


def test_it_adds_a_local_account_or_one_of_the_identity_provider() -> None:
    control = books()
    given = tools(control=control)
    add.apply(add.ACTION.build(form()), given)
    add.apply(add.ACTION.build(form(email="b@company.example", person=" https://idp.example|b ")), given)
    local, far = control.staff.members[-2:]
    assert (local.person, far.person) == (f"local|{local.id}", "https://idp.example|b")
    assert (local.kind, local.is_active, local.created_at) == (StaffKind.PERSON, True, NOON)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"email": "KIM@company.example"}, "email"),
        ({"person": FAR.person}, "person"),
    ],
)
def test_it_refuses_a_second_account(typed: dict[str, object], field: str) -> None:
    control = books()
    with Unchanged(control):
        assert fault_of(add.preview, add.ACTION.build(form(**typed)), tools(control=control))[0] == field


@pytest.mark.parametrize("names", [(), ("king",), ("finance", "king")])
def test_it_refuses_roles_that_nobody_knows(names: tuple[str, ...]) -> None:
    field, remedy = fault_of(parsed_roles, names)
    assert field == "roles"
    assert "administrator, engineer" in remedy


def test_it_words_roles_in_a_stable_order() -> None:
    assert roles_text(frozenset({Role.ON_CALL, Role.FINANCE})) == "Finance, On-call"
    assert roles_text(frozenset()) == "no role"


# --- change roles


def change(name: str, *roles: str) -> change_roles.Params:
    built: change_roles.Params = change_roles.ACTION.build({"colleague": f"stf_{name}", "roles": roles})
    return built


def test_it_shows_roles_before_and_after_without_changing_them() -> None:
    control = books()
    with Unchanged(control):
        seen = change_roles.preview(change("kim", "finance"), tools(control=control))
    assert shown(seen) == {"Roles": ("Support agent", "Finance")}
    assert seen.fingerprint == {"roles": "support_agent"}
    assert seen.facts == {"target_is_self": False, "grants_administrator": False}
    assert seen.warnings == ("Votes that rest on a role that goes are void at once.",)


def test_it_tells_policy_of_power_that_is_gained_only() -> None:
    gained = change_roles.preview(change("kim", "support_agent", "administrator"), tools(control=books()))
    assert (gained.facts["grants_administrator"], gained.warnings) == (True, ())
    kept = change_roles.preview(change("robin", "administrator", "finance"), tools(control=books()))
    assert kept.facts == {"target_is_self": True, "grants_administrator": False}


def test_it_replaces_the_roles() -> None:
    control = books()
    done = change_roles.apply(change("kim", "finance"), tools(control=control))
    member = control.staff.get(KIM.id)
    assert member is not None
    assert member.roles == {Role.FINANCE}
    assert done.sentence == "Kim is Finance now."


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (change("far", "finance"), "colleague"),
        (change("nobody", "finance"), "colleague"),
        (change("shell", "finance"), "colleague"),
        (change("kim", "support_agent"), "roles"),
    ],
    ids=["from the identity provider", "unknown", "the shell", "the same roles"],
)
def test_it_refuses_roles_that_it_cannot_change(given: change_roles.Params, field: str) -> None:
    control = books()
    with Unchanged(control):
        for function in (change_roles.preview, change_roles.apply):
            assert fault_of(function, given, tools(control=control))[0] == field


# --- deactivate, reactivate, end sessions


def of(module: Any, name: str) -> Any:  # noqa: ANN401  each module has parameters of its own
    return module.ACTION.build({"colleague": f"stf_{name}"})


def test_it_shows_a_deactivation_without_doing_it() -> None:
    control = books()
    with Unchanged(control):
        seen = deactivate.preview(of(deactivate, "kim"), tools(control=control))
    assert shown(seen) == {
        "Account": ("active", "deactivated"),
        "Sessions, leases, open requests": (None, "ended"),
    }
    assert seen.warnings[1] == "As of now 2 sessions and 1 leases would end."
    assert seen.facts == {"target_is_self": False}


def test_a_colleague_cannot_outdate_their_deactivation_by_signing_in_again() -> None:
    control = books()
    before = deactivate.preview(of(deactivate, "kim"), tools(control=control))
    control.sessions.live.append(session(KIM.id, 3))
    after = deactivate.preview(of(deactivate, "kim"), tools(control=control))
    assert (after.changes, after.fingerprint) == (before.changes, before.fingerprint)


def test_it_deactivates_and_ends_everything() -> None:
    control = books()
    done = deactivate.apply(of(deactivate, "kim"), tools(control=control))
    member = control.staff.get(KIM.id)
    assert member is not None
    assert not member.is_active
    assert control.asked == [("end_everything", KIM.id)]
    assert "4 sessions, leases and requests ended" in done.sentence


def test_it_shows_and_does_a_reactivation() -> None:
    control = books()
    with Unchanged(control):
        seen = reactivate.preview(of(reactivate, "gone"), tools(control=control))
    assert shown(seen) == {"Account": ("deactivated", "active")}
    reactivate.apply(of(reactivate, "gone"), tools(control=control))
    member = control.staff.get(GONE.id)
    assert member is not None
    assert member.is_active
    assert control.asked == []


def test_it_shows_and_ends_sessions() -> None:
    control = books()
    with Unchanged(control):
        seen = end_sessions.preview(of(end_sessions, "kim"), tools(control=control))
    assert shown(seen) == {"Sessions": ("2", "0")}
    assert seen.facts == {"target_is_self": False}
    done = end_sessions.apply(of(end_sessions, "kim"), tools(control=control))
    assert control.asked == [("end_sessions", KIM.id)]
    assert done.sentence == "Kim is signed out of 2 sessions."


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (deactivate, "gone"),
        (deactivate, "nobody"),
        (deactivate, "shell"),
        (reactivate, "kim"),
        (reactivate, "nobody"),
        (end_sessions, "far"),
        (end_sessions, "nobody"),
    ],
    ids=lambda part: part if isinstance(part, str) else part.__name__.rpartition(".")[2],
)
def test_it_refuses_a_colleague_whom_it_does_not_fit(module: Any, name: str) -> None:  # noqa: ANN401  as above
    control = books()
    with Unchanged(control):
        for function in (module.preview, module.apply):
            assert fault_of(function, of(module, name), tools(control=control))[0] == "colleague"


@pytest.mark.parametrize(
    ("offer", "offered"),
    [
        (deactivate.choices, ["stf_robin", "stf_kim", "stf_far"]),
        (end_sessions.choices, ["stf_robin", "stf_kim", "stf_far"]),
        (change_roles.choices, ["stf_robin", "stf_kim", "stf_far"]),
        (reactivate.choices, ["stf_gone"]),
    ],
    ids=["deactivate", "end sessions", "change roles", "reactivate"],
)
def test_it_offers_the_accounts_that_it_fits(offer: Callable[..., Any], offered: list[str]) -> None:
    assert [choice.value for choice in offer("colleague", tools(control=books()))] == offered
    assert offer("roles", tools(control=books())) == ()


def test_it_names_deactivation_and_reactivation_as_each_others_undo() -> None:
    assert deactivate.ACTION.undo == reactivate.ACTION.key
    assert reactivate.ACTION.undo == deactivate.ACTION.key
    assert all(module.ACTION.place == "staff" for module in (*BY_COLLEAGUE, add, change_roles))
