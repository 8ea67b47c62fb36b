"""Every read of the control store and of a tenant, by name, whose plan is asked for."""

from collections.abc import Callable

from console.domain.billing.objects import ObjectKind
from console.domain.freezes import FreezeScope
from console.domain.ids import (
    EntryUid,
    ExecutionId,
    ImpersonationId,
    MemberId,
    NoticeId,
    RequestId,
    SessionKey,
    StaffId,
    TenantId,
)
from console.domain.product_jobs import ProductJobState
from console.domain.requests import State
from console.domain.signals import SignalId
from console.domain.staff import Role
from console.ports.override_register import Which
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.ports.trail import EntryFilter
from console.ports.webhooks import DeliveryFilter
from tests.billing import A_SUBSCRIPTION, DAY, told
from tests.databases import NOON
from tests.integration.cast import ACME, ANNA

READS: dict[str, Callable[[ControlUnit], object]] = {
    "request": lambda unit: unit.requests.get(RequestId("req_0001")),
    "revisions": lambda unit: unit.requests.revisions(RequestId("req_0001")),
    "votes": lambda unit: unit.requests.votes(RequestId("req_0001")),
    "inbox": lambda unit: unit.requests.waiting_for(ANNA, [Role.FINANCE], now=NOON, after=None, limit=50),
    "inbox further": lambda unit: unit.requests.waiting_for(
        ANNA, [Role.FINANCE], now=NOON, after=RequestId("req_0001"), limit=50
    ),
    "inbox count": lambda unit: unit.requests.count_waiting_for(ANNA, [Role.FINANCE], now=NOON, most=100),
    "mine": lambda unit: unit.requests.mine(ANNA, after=RequestId("req_0009"), limit=50),
    "recent": lambda unit: unit.requests.recent(states=[], tenant=None, after=RequestId("req_0009"), limit=50),
    "recent of a state": lambda unit: unit.requests.recent(states=[State.FAILED], tenant=None, after=None, limit=50),
    "recent of a tenant": lambda unit: unit.requests.recent(states=[], tenant=ACME, after=None, limit=50),
    "open of a tenant": lambda unit: unit.requests.recent(
        states=[State.PENDING, State.APPROVED], tenant=ACME, after=None, limit=50
    ),
    "open of somebody": lambda unit: unit.requests.open_of_requester(StaffId("stf_7")),
    "overdue requests": lambda unit: unit.requests.overdue(NOON, limit=50),
    "executing": lambda unit: unit.requests.executing(started_before=NOON, limit=50),
    "by execution": lambda unit: unit.requests.by_execution(ExecutionId("exe_1")),
    "open leases": lambda unit: unit.leases.open_of(ANNA),
    "open lease": lambda unit: unit.leases.open_on(ANNA, ACME),
    "overdue sessions": lambda unit: unit.sessions.overdue(NOON, idle_minutes=15, limit=50),
    "overdue leases": lambda unit: unit.leases.overdue(NOON, limit=50),
    "budget": lambda unit: unit.leases.budget(ANNA, NOON),
    "has opened": lambda unit: unit.leases.has_opened(ANNA, ACME, NOON),
    "impersonation": lambda unit: unit.impersonations.get(ImpersonationId("imp_x200")),
    "open impersonation": lambda unit: unit.impersonations.open_of(ANNA),
    "impersonations of a session": lambda unit: unit.impersonations.open_in(SessionKey("s")),
    "impersonations of everybody": lambda unit: unit.impersonations.open_under(FreezeScope.ALL, "", limit=50),
    "impersonations of a vendor": lambda unit: unit.impersonations.open_under(FreezeScope.VENDOR, "v", limit=50),
    "impersonations on a tenant": lambda unit: unit.impersonations.open_under(FreezeScope.TENANT, ACME, limit=50),
    "leases of everybody": lambda unit: unit.leases.open_under(FreezeScope.ALL, "", limit=50),
    "open impersonations": lambda unit: unit.impersonations.open_after(ImpersonationId("imp_x200"), limit=50),
    "open impersonations of members": lambda unit: unit.impersonations.open_on(
        TenantId("ten_7"), [MemberId("m1"), MemberId("m2")]
    ),
    "impersonations of a tenant": lambda unit: unit.impersonations.of_tenant(
        TenantId("ten_7"), before=ImpersonationId("imp_x200"), limit=50
    ),
    "hand-off code": lambda unit: unit.impersonations.code("code_200"),
    "spent code": lambda unit: unit.impersonations.spend("code_200", NOON),
    "touched impersonation": lambda unit: unit.impersonations.touch(ImpersonationId("imp_x200"), NOON),
    "requests of an impersonation": lambda unit: unit.product_reports.of(
        ImpersonationId("imp_x200"), before="rep_200", limit=50
    ),
    "member reset": lambda unit: unit.product_reports.was_reset(TenantId("ten_7"), MemberId("m7"), since=NOON),
    "external id": lambda unit: unit.directory.external_id(ACME),
    "unread": lambda unit: unit.outbox.unread(ANNA, limit=20),
    "undelivered": lambda unit: unit.outbox.undelivered(limit=20),
    "mark read": lambda unit: unit.outbox.mark_read(ANNA, NOON),
    "delivered": lambda unit: unit.outbox.delivered(NoticeId("ntc_1"), NOON),
    "old counts": lambda unit: unit.throttles.sweep(now=NOON, limit=50),
    "throttle": lambda unit: unit.throttles.count("sign_in", "anna", since=NOON),
    "directory row": lambda unit: unit.directory.get(ACME),
    "directory slug": lambda unit: unit.directory.by_slug("acme"),
    "directory rows": lambda unit: unit.directory.many([ACME, TenantId("ten_x")]),
    "entry": lambda unit: unit.reader.one(EntryUid("ent_1")),
    "trail": lambda unit: unit.reader.page(EntryFilter(), before=2_000, limit=50),
    "trail of a tenant": lambda unit: unit.reader.page(EntryFilter(tenant=ACME), before=2_000, limit=50),
    "trail of a tenant's actor": lambda unit: unit.reader.page(
        EntryFilter(tenant=ACME, actor=ANNA), before=None, limit=50
    ),
    "trail of a tenant's action": lambda unit: unit.reader.page(
        EntryFilter(tenant=ACME, action="lease.open"), before=None, limit=50
    ),
    "trail of an actor": lambda unit: unit.reader.page(EntryFilter(actor=ANNA), before=None, limit=50),
    "trail of an action": lambda unit: unit.reader.page(EntryFilter(action="lease.open"), before=None, limit=50),
    "trail of an outcome": lambda unit: unit.reader.page(EntryFilter(outcome="failed"), before=None, limit=50),
    "trail of a target": lambda unit: unit.reader.page(EntryFilter(target="seats"), before=None, limit=50),
    "trail in order": lambda unit: unit.reader.placed_after(1_000, limit=50),
    "trail of an actor's action": lambda unit: unit.reader.page(
        EntryFilter(actor=ANNA, action="lease.open", since=NOON), before=None, limit=50
    ),
    "open signals": lambda unit: unit.signals.page(is_open=True, before=SignalId("sig_2"), limit=50, beside=ANNA),
    "settled signals": lambda unit: unit.signals.page(is_open=False, before=SignalId("sig_2"), limit=50, beside=ANNA),
    "open signals counted": lambda unit: unit.signals.open_count(most=99, beside=ANNA),
    "signal": lambda unit: unit.signals.get(SignalId("sig_1")),
    "staff by id": lambda unit: unit.staff.many([ANNA, StaffId("stf_x")]),
    "trail of an event": lambda unit: unit.reader.page(EntryFilter(correlation="x"), before=None, limit=50),
    "entries of row ids": lambda unit: unit.reader.many([1, 2, 3]),
    "register tenants": lambda unit: unit.register.tenants(after=None, limit=50),
    "register": lambda unit: unit.register.page(Which.ALL, ends_before=NOON, after=None, limit=50),
    "register ends soon": lambda unit: unit.register.page(Which.ENDS_SOON, ends_before=NOON, after=None, limit=50),
    "register further": lambda unit: unit.register.page(
        Which.ALL, ends_before=NOON, after=(TenantId("ten_301"), "ovr_301"), limit=50
    ),
    "register without an end": lambda unit: unit.register.page(
        Which.ALL, ends_before=NOON, after=(TenantId("ten_300"), "ovr_300"), limit=50
    ),
    "disclosures due": lambda unit: unit.disclosures.due(NOON, limit=50),
    "last number shown": lambda unit: unit.disclosures.last_numbers([ACME]),
    "disclosures shown": lambda unit: unit.disclosures.shown(ACME, before=500, limit=50),
    "disclosures shown after": lambda unit: unit.disclosures.shown_after(ACME, number=5, limit=50),
    "disclosures waiting": lambda unit: unit.disclosures.waiting(ACME, limit=50),
    "disclosures under a matter": lambda unit: unit.disclosures.count_under(ACME, "MAT-1"),
    "hurry disclosures": lambda unit: unit.disclosures.hurry(ACME, "MAT-1", due_at=NOON),
    "token": lambda unit: unit.customer_tokens.by_hash("h500"),
    "tokens": lambda unit: unit.customer_tokens.of(ACME),
    "consent": lambda unit: unit.consents.get("cns_1"),
    "consents of a tenant": lambda unit: unit.consents.of_tenant(ACME, limit=50),
    "consents of somebody": lambda unit: unit.consents.of_staff(ANNA, ACME, limit=50),
    "consents of an access": lambda unit: unit.consents.used_by(ImpersonationId("imp_1")),
    "consents that end": lambda unit: unit.consents.pending(now=NOON, before=NOON, limit=50),
    "letters due": lambda unit: unit.letters.due(NOON, limit=50),
    "digest": lambda unit: unit.letters.has_digest(ACME),
    "letters given up": lambda unit: unit.letters.given_up(ACME, limit=50),
}


PLANE_READS: dict[str, Callable[[TenantPlane], object]] = {
    "account": lambda plane: plane.account(),
    "subscription": lambda plane: plane.subscription(),
    "members": lambda plane: plane.members(after=MemberId("mem_1"), limit=50),
    "member": lambda plane: plane.member(MemberId("mem_1")),
    "member count": lambda plane: plane.member_count(most=1_000),
    "invoices": lambda plane: plane.invoices(limit=20),
    "invoice": lambda plane: plane.invoice("INV-1"),
    "deliveries": lambda plane: plane.webhooks.deliveries(DeliveryFilter(), before=None, limit=20),
    "jobs of the product": lambda plane: plane.product_jobs(state=None, before=None, limit=20),
    "jobs of the product further": lambda plane: plane.product_jobs(state=None, before="j1000", limit=20),
    "jobs of the product of a state": lambda plane: plane.product_jobs(
        state=ProductJobState.FAILED, before=None, limit=20
    ),
    "jobs of the product of a state further": lambda plane: plane.product_jobs(
        state=ProductJobState.FAILED, before="j1000", limit=20
    ),
    "grants": lambda plane: plane.grants(),
    "inputs": lambda plane: plane.inputs(),
    "notes": lambda plane: plane.notes(before=None, limit=20),
    "older notes": lambda plane: plane.notes(before="n1000", limit=20),
    "mirror": lambda plane: plane.mirror.page(ObjectKind.INVOICE, before=None, limit=20),
    "mirror further": lambda plane: plane.mirror.page(ObjectKind.INVOICE, before="in_1", limit=20),
    "mirrored object": lambda plane: plane.mirror.get(ObjectKind.INVOICE, "in_1"),
    "mirrored children": lambda plane: plane.mirror.children(ObjectKind.REFUND, "pi_1", limit=20),
    "mirrored invoice": lambda plane: plane.mirror.invoice_of_number("INV-acme-1"),
    "mirrored numbers": lambda plane: plane.mirror.numbers({"in_1", "in_2"}),
    "mirrored side": lambda plane: plane.mirror.side(),
    "mirrored at": lambda plane: plane.mirror.mirrored_at(),
    "mirror an object": lambda plane: plane.mirror.put(told(A_SUBSCRIPTION, at=NOON - DAY)),
    "mark an object as deleted": lambda plane: plane.mirror.mark_deleted(ObjectKind.INVOICE, "in_1", at=NOON - DAY),
}
