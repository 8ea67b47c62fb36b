"""Rows 1 to 4: whose customer is whose, and the master data of a customer."""

from collections.abc import Iterator, Mapping

from console.domain.billing.matching import matches, named
from console.domain.billing.money import worded
from console.domain.billing.objects import Customer, ObjectKind
from console.domain.ids import TenantId
from console.domain.reconciling.books import AccountBooks, Plan
from console.domain.reconciling.findings import Candidate, Direction
from console.domain.reconciling.reading import NOTHING, Reading, differing, moment

_PAYING = frozenset({"active", "past_due"})


def find(reading: Reading) -> Iterator[Candidate]:
    """Yield conflicts, duplicates, plans without a customer, and customers that the mirror holds otherwise."""
    contested = {each.objects[0]: each for each in _contested(reading)}
    yield from contested.values()
    mine = (*(each for each in reading.customers if each.id not in contested), *reading.claiming)
    # One that claims the tenant alone is told by the account: customer_unmapped, with this tenant proposed.
    if len(mine) > 1 and len(mine) > len(reading.claiming):
        yield _duplicate(reading, mine)
    unserved = _unserved(reading)
    if unserved is not None:
        yield unserved
    for customer, ours, theirs in reading.pairs(Customer):
        is_told = theirs is None and unserved is not None
        if not is_told and not (customer.id in contested and _is_only_the_claim(ours, theirs)):
            yield _drift(reading, ours, theirs)


def find_unmapped(books: AccountBooks) -> Iterator[Candidate]:
    """Yield live customers that no tenant is linked to; one that names a tenant with a customer is its duplicate."""
    for customer in sorted(books.unmapped, key=lambda each: each.id):
        found = matches(books.similar.get(customer.id, ()))
        tenant = named(found)
        others = () if tenant is None else books.linked.get(tenant, ())
        owing = books.owing.get(customer.id, 0)
        evidence = {f"match {number}": f"{each.tenant} by {each.why}" for number, each in enumerate(found, 1)}
        yield Candidate(
            kind="customer_duplicate" if others else "customer_unmapped",
            tenant=tenant if others else None,
            objects=tuple(sorted((customer.id, *others))),
            ours=", ".join(others) or NOTHING,
            theirs=f"{customer.name} ({customer.id})",
            at_risk_minor=abs(owing),
            currency=customer.currency,
            direction=Direction.CUSTOMER_LOSES if others or owing else Direction.NOBODY,
            params=_linking(customer, tenant, others),
            evidence=evidence,
            happened_at=customer.created_at,
        )


def _linking(customer: Customer, tenant: TenantId | None, others: tuple[str, ...]) -> Mapping[str, str]:
    """Return what linking must know, with the one tenant that is sure; a duplicate is not to be linked."""
    if others:
        return {}
    return {"customer": customer.id} if tenant is None else {"customer": customer.id, "tenant": tenant}


def _contested(reading: Reading) -> Iterator[Candidate]:
    books = reading.books
    claims = {each.id: each.tenant for each in reading.customers}
    for link in sorted(books.links, key=lambda each: each.customer):
        claimed = claims.get(link.customer)
        by_metadata = () if claimed is None or claimed == books.tenant else (claimed,)
        others = tuple(sorted(link.also)) or by_metadata
        if others and link.customer not in reading.doubtful:
            amount, currency = _billed(reading, link.customer)
            yield Candidate(
                kind="mapping_conflict",
                tenant=books.tenant,
                objects=(link.customer,),
                ours=f"linked here since {moment(link.linked_at)}",
                theirs="claimed by " + ", ".join(others),
                at_risk_minor=amount,
                currency=currency,
                direction=Direction.CUSTOMER_LOSES if amount else Direction.NOBODY,
                params={"customer": link.customer},
                evidence={"by": "link" if link.also else "metadata"},
            )


def _duplicate(reading: Reading, customers: tuple[Customer, ...]) -> Candidate:
    """Return a finding that proposes to keep the customer that pays longest; the other's subscription goes."""
    live = {each.customer: each for each in reversed((*reading.live, *reading.claimed))}
    kept = min(customers, key=lambda each: (each.id not in live, each.created_at, each.id))
    gone = [live[each.id] for each in customers if each is not kept and each.id in live]
    at_risk = sum(reading.cost(each) for each in gone if each.currency == kept.currency)
    return Candidate(
        kind="customer_duplicate",
        tenant=reading.books.tenant,
        objects=tuple(sorted(each.id for each in customers)),
        ours=f"keep {kept.id}",
        theirs=f"{len(customers)} customers",
        at_risk_minor=at_risk,
        currency=kept.currency,
        direction=Direction.CUSTOMER_LOSES if gone else Direction.NOBODY,
        params={"keep": live[kept.id].id, "cancel": gone[0].id} if gone else {},
        evidence={
            each.id: f"{each.name}, {'live' if each.id in live else 'no live'} subscription" for each in customers
        },
    )


def _unserved(reading: Reading) -> Candidate | None:
    """Return that a paid plan has no customer, unless a contract runs or a customer could not be read."""
    books, plan = reading.books, reading.books.plan
    has_customer = bool(books.provider.customers() or reading.claiming) or not reading.is_whole(ObjectKind.CUSTOMER)
    if plan is None or not _is_paying(plan) or has_customer:
        return None
    if any(each.is_live(books.now) for each in books.inputs.contracts):
        return None
    return Candidate(
        kind="tenant_without_customer",
        tenant=books.tenant,
        objects=(f"plan:{plan.key}",),
        ours=f"{plan.key}, {worded(plan.amount_minor, plan.currency)}",
        theirs="no customer",
        at_risk_minor=plan.amount_minor,
        currency=plan.currency,
        direction=Direction.WE_LOSE,
        evidence={"plan": plan.key, "status": plan.status, "last known customer": plan.customer or NOTHING},
    )


def _is_paying(plan: Plan) -> bool:
    return plan.is_paid and plan.status in _PAYING


def _is_only_the_claim(ours: Customer | None, theirs: Customer | None) -> bool:
    """Return whether two sides differ in nothing but the tenant that the metadata names."""
    return ours is not None and theirs is not None and differing(ours, theirs) == ("tenant",)


def _drift(reading: Reading, ours: Customer | None, theirs: Customer | None) -> Candidate:
    if ours is None or theirs is None:
        return reading.drift("customer_drift", ours, theirs)
    gap = theirs.balance_minor - ours.balance_minor
    if not gap:
        return reading.drift("customer_drift", ours, theirs, differs=differing(ours, theirs)[0])
    return reading.drift(
        "credit_balance_mismatch",
        ours,
        theirs,
        differs="balance_minor",
        at_risk_minor=abs(gap),
        direction=Direction.CUSTOMER_LOSES if gap < 0 else Direction.WE_LOSE,
    )


def _billed(reading: Reading, customer: str) -> tuple[int, str | None]:
    """Return what a customer's live subscriptions cost each period, in the currency of the first."""
    mine = [each for each in reading.live if each.customer == customer]
    currency = mine[0].currency if mine else None
    return sum(reading.cost(each) for each in mine if each.currency == currency), currency
