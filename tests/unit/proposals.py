"""One request, its votes and the people around it, for tests of the pure machine."""

from dataclasses import replace
from datetime import timedelta

from console.domain.changes import Change, Preview
from console.domain.decisions import GroupNeed
from console.domain.ids import ActionKey, PersonKey, RequestId, StaffId
from console.domain.requests import Request, State, Verdict, Vote, bound_digest
from console.domain.staff import Role
from tests.unit.fakes import NOON, TENANT, WHY

LEADS = GroupNeed(name="support_lead", roles=frozenset({Role.SUPPORT_LEAD}), count=1)
MONEY = GroupNeed(name="finance_lead", roles=frozenset({Role.FINANCE_LEAD}), count=1)
SEEN = Preview(
    sentence="Seats: 10 → 25",
    changes=(Change(field="Seats", before="10 seats", after="25 seats"), Change(field="End", before=None, after="x")),
    fingerprint={"entitlement_version": 3, "plan": "team"},
    target_type="entitlement",
    target_id="seats",
)


def resealed(request: Request) -> Request:
    """Return a request under the digest that its content asks for."""
    return replace(request, digest=request.recomputed_digest())


def proposal(**other: object) -> Request:
    """Return a pending request by Robin that needs a support lead and a finance lead."""
    approve_by = NOON + timedelta(minutes=240)
    params = {"feature": "seats", "value": 25, "until": "2026-12-01"}
    base = Request(
        id=RequestId("req_1"),
        revision=1,
        version=1,
        state=State.PENDING,
        action=ActionKey("entitlement.override"),
        action_version=1,
        tenant=TENANT,
        params=params,
        preview=SEEN,
        reason=WHY,
        digest=bound_digest(
            action=ActionKey("entitlement.override"),
            action_version=1,
            tenant=TENANT,
            params=params,
            preview=SEEN,
            reason=WHY,
            requester=PersonKey("local|stf_robin"),
            not_after=approve_by,
        ),
        rules=(),
        needs=(LEADS, MONEY),
        policy_version="v1",
        requester=StaffId("stf_robin"),
        requester_person=PersonKey("local|stf_robin"),
        requester_name="Robin",
        drafted_by=PersonKey("local|stf_robin"),
        lease=None,
        filed_at=NOON,
        approve_by=approve_by,
        execute_minutes=60,
        execute_by=None,
    )
    return replace(base, **other)  # type: ignore[arg-type]  # names and types are the dataclass's own


def vote(name: str, request: Request, **other: object) -> Vote:
    """Return an approval of a request as it stands."""
    base = Vote(
        request=request.id,
        revision=request.revision,
        staff=StaffId(f"stf_{name}"),
        person=PersonKey(f"local|stf_{name}"),
        name=name.capitalize(),
        verdict=Verdict.APPROVE,
        digest=request.digest,
        roles=frozenset(),
        stepped_up_by=None,
        comment="",
        cast_at=NOON,
    )
    return replace(base, **other)  # type: ignore[arg-type]  # names and types are the dataclass's own
