"""A signal for tests of pages and actions, about somebody of the cast who settles none."""

from console.domain.ids import EntryUid
from console.domain.signals import Response, Signal, SignalId, SignalKey
from tests.web.cast import PEOPLE, Cast
from tests.web.world import TENANTS


def raised_signal(cast: Cast, *, about: str = "support_agent_2") -> SignalId:
    """Raise a signal about what somebody did last, and return its id."""
    now, who = cast.clock.now(), PEOPLE[about].id
    signal = Signal(
        id=SignalId(cast.house.ids.new("sig")), rule=SignalKey("distinct_tenants"), subject=f"{who} {now}", staff=who,
        tenant=min(TENANTS.values()), summary="12 tenants within 1 h", response=Response.STEP_UP, raised_at=now,
        last_at=now, hits=3, evidence=(EntryUid(cast.entries("staff.sign_in")[0]["uid"]),), people=(who,),
    )  # fmt: skip
    with cast.house.store.write() as unit:
        assert unit.signals.raise_(signal)
    return signal.id
