"""Every field of every action meets every nasty value: it is taken, or refused by name with a remedy; nothing moves."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from typing import Any

import pytest

from console.domain.ids import ReasonCode
from console.domain.reasons import Reason
from console.domain.staff import Role
from console.ports.actions import Action, Reach
from console.usecases.outcomes import BadFields, Previewed
from console.usecases.parameters import Raw
from console.usecases.prepare_action import preview_action
from tests.attacks.door import CONTRACT
from tests.web.cast import Browser
from tests.web.matrix import THIS, actor_of, stored
from tests.web.matrix_scene import Stage, furnish, stage  # noqa: F401  a fixture
from tests.web.matrix_trials import BROWSER
from tests.web.test_bad_input import NASTY, told_too_much
from tests.web.test_matrix_actions import table
from tests.web.world import TENANTS

NASTIER = (*NASTY, "a\x00b", "\ud800", "NaN", "2026-02-30", "0x10", "a,b,,a", "⁰", "=1+1", "-" * 300)
REASON = Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference="ZD-48213")
MANY = 4_000
WHO = Role.SUPPORT_LEAD


def forms(action: Action[Any], raw: Raw) -> Iterator[tuple[str, Raw]]:
    """Return the form once for each field and value, otherwise well filled in, and once with a field of nobody's."""
    for field in action.fields:
        for value in NASTIER:
            yield field.name, {**raw, field.name: value}
        yield field.name, {**raw, field.name: ["a", "b"]}
    yield "is_admin", {**raw, "is_admin": "1"}


def fault_of(answer: object, field: str, names: frozenset[str]) -> str | None:
    """Return what is wrong with an answer, None where it is a preview, or names a field with a remedy."""
    match answer:
        case Previewed() if field != "is_admin":
            return None
        case BadFields(faults=faults) if faults and all(each.field in names and each.remedy for each in faults):
            return None
        case _:
            return repr(answer)[:300]


def test_it_takes_or_refuses_every_value_of_every_field_by_name(stage: Stage) -> None:  # noqa: F811
    actor = replace(actor_of(WHO.value, stage.cast), session=BROWSER)
    faults, tried = [], 0
    for key, action in stage.cast.house.registry.items():
        raw = furnish(stage, key, WHO)
        tenant = TENANTS[THIS] if action.reach is Reach.TENANT else None
        names = frozenset({*(field.name for field in action.fields), "is_admin"})
        before = stored(stage.file)
        for field, form in forms(action, raw):
            try:
                answer: object = preview_action(
                    stage.cast.house, actor, key=key, tenant=tenant, raw=form, reason=REASON
                )
            except Exception as error:  # noqa: BLE001  each is told below
                answer = error
            fault = fault_of(answer, field, names)
            tried += 1
            if fault is not None:
                faults.append(f"{key} with {field}={str(form[field])[:30]!r}: {fault}")
        if stored(stage.file) != before:
            faults.append(f"{key} changed something")
    assert tried > MANY
    assert not faults, f"{len(faults)} of {tried}\n" + "\n".join(faults)


@pytest.mark.checklist("V2.2.1")
@pytest.mark.checklist("V16.5.4")
@pytest.mark.checklist("V1.2.4")
def test_every_page_of_an_action_answers_a_form_of_nasty_values_with_their_names(stage: Stage) -> None:  # noqa: F811
    values, browsers = cycle(value for value in NASTIER if value != "\ud800"), dict[Role, Browser]()
    faults = []
    for key, action in stage.cast.house.registry.items():
        who = next(role for role, word in table()[key].items() if word != "no")
        browser = browsers.get(who) or browsers.setdefault(who, stage.cast.sign_in(who.value))
        furnish(stage, key, who)
        before = stored(stage.file)
        form = dict(zip((field.name for field in action.fields), islice(values, len(action.fields)), strict=True))
        path = f"/t/{THIS}/actions/{key}" if action.reach is Reach.TENANT else f"/actions/{key}"
        answer = browser.post(path, {**form, **CONTRACT, "step": "preview"})
        if answer.status_code not in {200, 400, 422} or told_too_much(answer.text) or "<h1" not in answer.text:
            faults.append(f"{key} with {form}: {answer.status_code}")
        if answer.status_code == 422 and not any(f'href="#{name}' in answer.text for name in form):
            faults.append(f"{key} with {form} leads to no field")
        if stored(stage.file) != before:
            faults.append(f"{key} changed something")
    assert not faults, "\n".join(faults)
