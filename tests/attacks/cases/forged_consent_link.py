"""Somebody answers a question for consent with a link that is altered, another reader's, over, or another tenant's."""

from dataclasses import replace
from datetime import timedelta

from console.domain.ids import MemberId
from console.domain.imports import member_id_of
from console.domain.trust.links import Link, LinkKind
from tests.attacks.door import Attempts, Door
from tests.web.customer_stage import trust
from tests.web.world import KESTREL, NORDWIND, TENANTS

CHECKLIST = ("V9.1.1",)


def attack(door: Door) -> tuple[Attempts, ...]:
    """Try links that are nearly right; then look with a right one, and answer after the end."""
    trust(door.cast, TENANTS["nordwind"])
    sign, now = door.cast.house.fingerprints.of, door.cast.clock.now()
    right = Link(
        kind=LinkKind.CONSENT,
        tenant=TENANTS["nordwind"],
        member=MemberId(member_id_of(NORDWIND, "nordwind-m1")),
        subject="cns_1",
        until=now + timedelta(days=3),
    )
    token = right.signed(sign)
    foreign = MemberId(member_id_of(KESTREL, "kestrel-m1"))
    nearly = (
        token[:-1] + ("0" if token[-1] != "0" else "1"),
        right.signed(lambda said: sign(said + " ")),
        token.replace("cns_1", "cns_2"),
        replace(right, member=MemberId(member_id_of(NORDWIND, "nordwind-m2"))).signed(sign),
        replace(right, member=foreign).signed(sign),
        replace(right, tenant=TENANTS["kestrel"], member=foreign).signed(sign),
        replace(right, until=now - timedelta(seconds=1)).signed(sign),
        replace(right, kind=LinkKind.POLICY).signed(sign),
    )
    stranger = door.cast.stranger()
    recorded = door.attempts(404, "customer.refused")
    for link in nearly:
        recorded.send(stranger, "POST", f"/customer/consents/{link}", data={"verdict": "approve"})
    looking = door.attempts((200, 422, 405), unrecorded="looking is no deed; it is an entry of its own")
    for method, data in (("GET", {"verdict": "approve"}), ("POST", {}), ("PUT", {"verdict": "approve"})):
        looking.send(stranger, method, f"/customer/consents/{token}?verdict=approve", data=data)
    door.cast.clock.pass_by(days=3)
    late = door.attempts(409, "customer.refused")
    longer = replace(right, until=now + timedelta(days=30)).signed(sign)
    late.send(stranger, "POST", f"/customer/consents/{longer}", data={"verdict": "approve"})
    return recorded, looking, late
