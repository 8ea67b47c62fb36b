"""What the customer's side has to show: a token, a legal hold and a question for consent, each once."""

from datetime import timedelta

from console.domain.disclosure import LegalHold
from console.domain.ids import TenantId
from console.domain.trust.consents import Consent
from console.domain.trust.tokens import PREFIX, CustomerToken, token_hash
from tests.databases import NOON
from tests.web.cast import PEOPLE, Cast

TOKEN = PREFIX + "t" * 43
DECIDES = PREFIX + "d" * 43
ASKED = "See why your invoice of November shows two taxes."
MATTER = "MAT-12"


def trust(cast: Cast, tenant: TenantId) -> None:
    """Bring them onto the stage, once."""
    lead, maker = PEOPLE["support_lead_2"].id, PEOPLE["support_lead"].id
    with cast.house.store.write() as unit:
        if unit.customer_tokens.of(tenant):
            return
        for number, (secret, may_decide) in enumerate(((TOKEN, False), (DECIDES, True)), start=1):
            made = CustomerToken(
                id=f"cut_{number}", tenant=tenant, label=f"Program {number}", may_decide=may_decide, made_by=maker,
                made_at=NOON,
            )  # fmt: skip
            unit.customer_tokens.add(made, hashed=token_hash(secret) or "")
        unit.legal_holds.add(
            LegalHold(
                id="lgh_1", tenant=tenant, reference=MATTER, until=NOON + timedelta(days=30), set_at=NOON, set_by=lead
            )
        )
        unit.consents.add(
            Consent(
                id="cns_1",
                tenant=tenant,
                staff=lead,
                what=ASKED,
                member=None,
                mode="read",
                reason_code="CUSTOMER_SUPPORT",
                reference="SUP-48213",
                minutes=30,
                asked_at=NOON,
                decide_by=NOON + timedelta(days=3),
                use_by=NOON + timedelta(days=6),
            )
        )


def question_of(cast: Cast, who: str, tenant: TenantId) -> str:
    """Let somebody have asked the customer something, and return its id."""
    now = cast.clock.now()
    asked = Consent(
        id=cast.house.ids.new("cns"), tenant=tenant, staff=PEOPLE[who].id, what=ASKED, member=None, mode="read",
        reason_code="CUSTOMER_SUPPORT", reference="SUP-48213", minutes=30, asked_at=now,
        decide_by=now + timedelta(days=3), use_by=now + timedelta(days=6),
    )  # fmt: skip
    with cast.house.store.write() as unit:
        unit.consents.add(asked)
    return asked.id
