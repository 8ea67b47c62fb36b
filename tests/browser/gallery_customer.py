"""The customer's side in a browser: the page in the workspace, and what the customer's administrator opens by link."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from playwright.sync_api import Browser

from console.domain.disclosure import LegalHold
from console.domain.ids import ReasonCode, StaffId, TenantId
from console.domain.trust.consents import Consent, ConsentState
from console.domain.trust.links import Link, LinkKind
from console.domain.trust.tokens import CustomerToken
from console.usecases.find_tenant import find_tenant
from console.usecases.publish_accesses import publish_accesses
from console.usecases.scopes import scope_of_sender, tenant_data
from tests.browser.navigator import Navigator
from tests.browser.shown import Shown, leave
from tests.browser.stage import ACME, Stage


def customer(browser: Browser, stage: Stage) -> Iterator[Shown]:
    """Show the page with everything that can stand on it, then the pages behind links."""
    lead, outside = Navigator.begin(browser, stage), Navigator.begin(browser, stage)
    lead.sign_in("support_lead")
    lead.open(f"/tenants/{ACME}/lease")
    lead.page.get_by_label("Reference").fill("SUP-4711")
    lead.page.get_by_role("button", name="Open Acme Robotics").click()
    lead.arrive("Acme Robotics")
    lead.open(f"/t/{ACME}/members")
    consent, rules, log = furnish(stage)
    lead.open(f"/t/{ACME}/customer")
    yield "tenant-customer", lead.page
    outside.page.goto(f"{stage.address}/customer/consents/{consent}")
    yield "customer-consent", outside.page
    outside.page.goto(f"{stage.address}/customer/policy/{rules}")
    yield "customer-policy", outside.page
    outside.page.goto(f"{stage.address}/customer/log/{log}")
    yield "customer-log", outside.page
    outside.page.goto(f"{stage.address}/customer/consents/nothing")
    yield "customer-link-over", outside.page
    outside.page.goto(f"{stage.address}/customer/consents/{consent}")
    outside.page.get_by_role("button", name="Approve").click()
    yield "customer-consent-approved", outside.page
    for each in (lead, outside):
        leave(each)


def furnish(stage: Stage) -> tuple[str, str, str]:
    """Put a hold, a token and two questions onto the page, publish, and return three links of an administrator."""
    house = stage.building.house
    now, row = house.clock.now(), find_tenant(house, slug=ACME)
    with house.store.write() as unit:
        lead = next(each.id for each in unit.staff.page(after=None, limit=50) if "lead" in repr(each.roles))
        unit.legal_holds.add(
            LegalHold(
                id="lgh_1", tenant=row.id, reference="MAT-12", until=now + timedelta(days=30), set_at=now, set_by=lead
            )
        )
        made = CustomerToken(
            id="cut_1", tenant=row.id, label="SIEM of Acme", may_decide=True, made_by=lead, made_at=now
        )
        unit.customer_tokens.add(made, hashed="0" * 64)
        for number, state in enumerate((ConsentState.REFUSED, ConsentState.PENDING), start=1):
            unit.consents.add(_question(f"cns_{number}", row.id, lead, state, now=now))
    while stage.building.sequencer.run_once() or publish_accesses(house):
        pass
    scope = scope_of_sender(row.id, row.plane, now=now)
    with house.store.read() as unit, tenant_data(house, unit, scope) as plane:
        boss = plane.administrators(limit=1)[0].id
    until = now + timedelta(days=3)
    ask = Link(kind=LinkKind.CONSENT, tenant=row.id, member=boss, subject="cns_2", until=until)
    rules = Link(kind=LinkKind.POLICY, tenant=row.id, member=boss, subject="0", until=until)
    log = replace(rules, kind=LinkKind.LOG)
    return ask.signed(house.fingerprints.of), rules.signed(house.fingerprints.of), log.signed(house.fingerprints.of)


def _question(name: str, tenant: TenantId, lead: StaffId, state: ConsentState, *, now: datetime) -> Consent:
    return Consent(
        id=name,
        tenant=tenant,
        staff=lead,
        what="See why your invoice of November shows two taxes, and repair the customer number.",
        member=None,
        mode="read",
        reason_code=ReasonCode("CUSTOMER_SUPPORT"),
        reference="SUP-4711",
        minutes=20,
        asked_at=now,
        decide_by=now + timedelta(days=3),
        use_by=now + timedelta(days=6),
        state=state,
    )
