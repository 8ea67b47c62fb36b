"""Money on the stage of the web tests: a tenant that is linked to its customer, a mirror, and a provider that acts."""

from dataclasses import replace
from datetime import datetime, timedelta

from console.domain.billing.objects import Allocation, BillingObject
from console.domain.ids import SHARED_PLANE
from console.domain.tenancy import ScopeBasis, TenantScope
from console.usecases.scopes import NO_REASON, SYSTEM
from tests.billing import A_CUSTOMER, A_DISPUTE, A_PAYMENT, A_SUBSCRIPTION, AN_INVOICE, PAID, told
from tests.billing_writer import ModelProvider
from tests.web.cast import Cast
from tests.web.world import TENANTS

UNLINKED = "cus_new1"


def objects(slug: str) -> tuple[BillingObject, ...]:
    """Return what the provider keeps of a tenant; ids bear the tenant's name."""
    customer = f"cus_{slug}"
    paid = replace(PAID, id=f"in_{slug}1", number=None, customer=customer, subscription=f"sub_{slug}1")
    share = Allocation(invoice=paid.id, amount_minor=9_900)
    free = replace(A_PAYMENT, id=f"pi_{slug}2", customer=customer)
    return (
        replace(A_CUSTOMER, id=customer),
        replace(A_SUBSCRIPTION, id=f"sub_{slug}1", customer=customer),
        replace(A_SUBSCRIPTION, id=f"sub_{slug}2", customer=customer),
        paid,
        replace(AN_INVOICE, id=f"in_{slug}2", number=None, customer=customer, subscription=f"sub_{slug}2"),
        replace(A_PAYMENT, id=f"pi_{slug}1", customer=customer, allocations=(share,)),
        free,
        replace(free, id=f"pi_{slug}3"),
        replace(A_DISPUTE, id=f"dp_{slug}1", customer=customer, payment=f"pi_{slug}3"),
    )


def bank(cast: Cast, *slugs: str) -> ModelProvider:
    """Link tenants to their customers, mirror what is theirs, and let the house ask a provider of paper."""
    now = cast.clock.now()
    model = ModelProvider(now=now)
    model.known += getattr(cast.house.provider, "known", [])
    model.knows(replace(A_CUSTOMER, id=UNLINKED, name="Nordwind Two", tenant=TENANTS["nordwind"]))
    for slug in slugs:
        model.knows(*objects(slug))
        with cast.house.store.write() as unit:
            plane = unit.tenant(_scope(slug, now))
            plane.customers.link(f"cus_{slug}", by="Robin", because="metadata", at=now)
            for thing in objects(slug):
                plane.mirror.put(told(thing, at=now))
    cast.house = replace(cast.house, provider=model, provider_writer=model)
    return model


def _scope(slug: str, now: datetime) -> TenantScope:
    return TenantScope(
        tenant=TENANTS[slug], plane=SHARED_PLANE, staff=SYSTEM, basis=ScopeBasis.JOB, reason=NO_REASON,
        not_after=now + timedelta(minutes=5),
    )  # fmt: skip
