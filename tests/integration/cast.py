"""What the storage tests share: two databases to choose from, two people, two tenants."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from console.domain.changes import Change, Preview
from console.domain.decisions import GroupNeed
from console.domain.entries import SYSTEM_ACTOR, EntryDraft
from console.domain.ids import (
    SHARED_PLANE,
    ActionKey,
    Digest,
    LeaseId,
    PersonKey,
    PlaneId,
    ReasonCode,
    RequestId,
    RuleId,
    StaffId,
    TenantId,
)
from console.domain.import_entitlements import (
    AddOnRecord,
    EntitlementRecord,
    FeatureRecord,
    PlanRecord,
    SubscriptionAddOnRecord,
)
from console.domain.imports import (
    DeliveryRecord,
    InvoiceRecord,
    MemberRecord,
    Record,
    SubscriptionRecord,
    TenantRecord,
    WebhookEndpointRecord,
    tenant_id_of,
)
from console.domain.leases import Lease
from console.domain.reasons import Reason
from console.domain.requests import Request, State, Verdict, Vote
from console.domain.staff import Role, StaffKind, StaffMember
from console.domain.tenancy import ScopeBasis, TenantScope
from console.storage.house import Storage
from tests.databases import NOON, CountedIds, HandClock, empty_url, opened_storage

ANNA, BERT = StaffId("stf_anna"), StaffId("stf_bert")
ACME, ZETA = tenant_id_of("acme"), tenant_id_of("zeta")
REASON = Reason(code=ReasonCode("support_ticket"), reference="SUP-1", note="")
STARTED = EntryDraft(action="server.started", actor=SYSTEM_ACTOR)


@contextmanager
def house(engine: str, path: Path, create: Callable[..., str], *, clock: HandClock | None = None) -> Iterator[Storage]:
    """Open an empty, migrated house on either database."""
    url = empty_url(engine, path / "control.db", create)
    with opened_storage(url, clock=clock, ids=CountedIds()) as storage:
        yield storage


def member_of_staff(staff: StaffId, *roles: Role, kind: StaffKind = StaffKind.PERSON) -> StaffMember:
    """Return a staff member with their own person and address."""
    return StaffMember(
        id=staff,
        person=PersonKey(f"https://idp|{staff}"),
        name=staff.removeprefix("stf_").title(),
        email=f"{staff}@Example.com",
        roles=frozenset(roles),
        kind=kind,
        is_active=True,
        created_at=NOON,
    )


def hire(storage: Storage) -> None:
    """Add Anna, a support agent, and Bert, a finance lead."""
    with storage.store.write() as unit:
        unit.staff.add(member_of_staff(ANNA, Role.SUPPORT_AGENT))
        unit.staff.add(member_of_staff(BERT, Role.FINANCE_LEAD, Role.FINANCE))


def lease(number: int, *, tenant: TenantId = ACME, staff: StaffId = ANNA, at: datetime = NOON) -> Lease:
    """Return an hour's lease."""
    return Lease(
        id=LeaseId(f"lea_{number}"),
        staff=staff,
        session=None,
        tenant=tenant,
        reason=REASON,
        opened_at=at,
        last_used_at=at,
        not_after=at + timedelta(hours=1),
        idle_minutes=15,
    )


def scope(tenant: TenantId, *, plane: PlaneId = SHARED_PLANE, hours: float = 1) -> TenantScope:
    """Return Anna's scope on a tenant."""
    return TenantScope(
        tenant=tenant,
        plane=plane,
        staff=ANNA,
        basis=ScopeBasis.LEASE,
        reason=REASON.code,
        not_after=NOON + timedelta(hours=hours),
        lease=LeaseId("lea_1"),
    )


NEED = GroupNeed(name="money", roles=frozenset({Role.FINANCE, Role.FINANCE_LEAD}), count=1)


def request(number: int, *, state: State = State.PENDING, at: datetime = NOON) -> Request:
    """Return a request of Anna's that Bert can approve."""
    plain = Request(
        id=RequestId(f"req_{number:04d}"),
        revision=1,
        version=1,
        state=state,
        action=ActionKey("entitlement.override"),
        action_version=1,
        tenant=ACME,
        params={"feature": "seats", "value": number, "until": "2026-12-01"},
        preview=Preview(
            sentence="Seats 5 to 9.",
            changes=(Change(field="seats", before="5", after="9"), Change(field="note", before=None, after="\u05d0")),
            fingerprint={"account": 1, "plan": "pro"},
            facts={"raises_paid": True, "delta": 4},
            warnings=("It costs money.",),
            target_type="feature",
            target_id="seats",
        ),
        reason=REASON,
        digest=Digest(""),
        rules=(RuleId("override"),),
        needs=(NEED,),
        policy_version="p1",
        requester=ANNA,
        requester_person=PersonKey(f"https://idp|{ANNA}"),
        requester_name="Anna",
        drafted_by=PersonKey(f"https://idp|{ANNA}"),
        lease=LeaseId("lea_1"),
        filed_at=at,
        approve_by=at + timedelta(hours=8),
        execute_minutes=60,
        execute_by=None,
    )
    return replace(plain, digest=plain.recomputed_digest())


def vote(on: Request, staff: StaffId = BERT, *, verdict: Verdict = Verdict.APPROVE) -> Vote:
    """Return a vote on the request's present revision."""
    return Vote(
        request=on.id,
        revision=on.revision,
        staff=staff,
        person=PersonKey(f"https://idp|{staff}"),
        name=staff,
        verdict=verdict,
        digest=on.digest,
        roles=frozenset({Role.FINANCE_LEAD}),
        stepped_up_by=None,
        comment="",
        cast_at=NOON,
    )


CATALOGUE_RECORDS: tuple[Record, ...] = (
    PlanRecord(key="pro", name="Pro", amount_minor=9_900, currency="EUR"),
    FeatureRecord(key="seats", name="Seats", measure="limit", unit="seats", unit_price_minor=500, currency="EUR"),
    FeatureRecord(key="sso", name="Single sign-on", measure="switch", unit="", unit_price_minor=0, currency="EUR"),
    EntitlementRecord(plan="pro", feature="seats", value=5),
    AddOnRecord(key="crew", name="Crew pack", feature="seats", value=10, amount_minor=100, currency="EUR"),
)


def tenant_records(name: str, *, plane: str = SHARED_PLANE) -> list[Record]:
    """Return a small tenant with a bit of everything."""
    return [
        TenantRecord(
            external_id=name,
            slug=name,
            name=f"{name.title()} Größe Ltd",
            region="eu",
            plan="pro",
            status="active",
            tier="shared",
            plane=plane,
            domains=(f"{name}.example",),
            provider_customer=f"cus_{name}1",
            country="DE",
            created_at=NOON - timedelta(days=100),
        ),
        *(
            MemberRecord(
                tenant=name,
                external_id=f"m{number}",
                name=f"Member {number}",
                email=f"M{number}@{name}.example",
                phone=None if number else "+49 30 1234",
                role="admin" if number == 0 else "viewer",
                is_active=number < 3,
                joined_at=NOON - timedelta(days=50 - number),
                last_seen_at=None,
            )
            for number in range(4)
        ),
        SubscriptionRecord(
            tenant=name,
            plan="pro",
            status="active",
            provider_customer=f"cus_{name}1",
            seats=4,
            amount_minor=9_900,
            currency="EUR",
            started_at=NOON - timedelta(days=90),
            renews_at=NOON + timedelta(days=9),
            mirrored_at=NOON - timedelta(hours=1),
        ),
        SubscriptionAddOnRecord(
            tenant=name, external_id="crew-1", add_on="crew", quantity=2, starts_at=NOON - timedelta(days=9), until=None
        ),
        *(
            InvoiceRecord(
                tenant=name,
                number=f"INV-{name}-{number}",
                status="open",
                provider_status="open",
                amount_minor=9_900,
                currency="EUR",
                issued_at=NOON - timedelta(days=30 * number),
                due_at=NOON - timedelta(days=30 * number - 14),
                paid_at=None,
                mirrored_at=NOON - timedelta(hours=1),
            )
            for number in (1, 2)
        ),
        WebhookEndpointRecord(
            tenant=name, external_id="main", url="https://hooks.example/x", created_at=NOON - timedelta(days=90)
        ),
        DeliveryRecord(
            tenant=name,
            message=f"msg_{name}1",
            endpoint="main",
            event_type="invoice.paid",
            outcome="failed",
            status_code=500,
            attempts=3,
            at=NOON - timedelta(minutes=5),
        ),
    ]


def move_in(storage: Storage, *, plane: str = SHARED_PLANE) -> None:
    """Import the catalogue, Acme and Zeta."""
    with storage.bulk.write() as unit:
        unit.put([*CATALOGUE_RECORDS, *tenant_records("acme", plane=plane), *tenant_records("zeta", plane=plane)])
        unit.trail.emit(EntryDraft(action="directory.imported", actor=SYSTEM_ACTOR), at=NOON)


@dataclass
class PaperSigner:
    """Signs with a fresh key."""

    name: str = "tests/audit/1"
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)

    def verify(self, message: bytes, signature: bytes) -> bool:
        try:
            self.key.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass
class PaperSink:
    """Keeps notes in memory."""

    notes: list[str] = field(default_factory=list)

    def publish(self, note: str) -> None:
        self.notes.append(note)

    def published(self) -> list[str]:
        return list(self.notes)
