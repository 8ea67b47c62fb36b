"""What is decided of a demo tenant before anything is written of it: a small, cheap value made from seed and number."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random

from console.adapters.demo.companies import Company, company
from console.adapters.demo.names import TONGUES, Tongue
from console.adapters.demo.price_list import SEATS

REGIONAL_PLANE = "eu"
DEDICATED_PLANE = "keystone"
_PLANS = ("free",) * 5 + ("starter",) * 6 + ("pro",) * 5 + ("business",) * 3 + ("enterprise",)
_REGIONS = ("us",) * 5 + ("eu",) * 4 + ("ap",)
_STATUSES = ("active",) * 88 + ("trial",) * 8 + ("suspended",) * 2 + ("closed",) * 2
_PLACES = {
    "us": ("US", "BR"),
    "eu": ("GB", "DE", "FR", "ES", "PL", "IS", "TR", "GR", "UA", "IL"),
    "ap": ("JP", "KR", "TW", "VN", "IN", "AE", "NG"),
}
_HOMES: dict[str, tuple[Tongue, ...]] = {
    region: tuple(tongue for tongue in TONGUES if tongue.country in countries) for region, countries in _PLACES.items()
}
_OLDEST_DAYS = 2_200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """One tenant in outline; `seed` begins every draw of it."""

    index: int
    seed: int
    company: Company
    external_id: str
    customer: str
    domain: str
    plan: str
    region: str
    status: str
    tier: str
    plane: str
    tongue: Tongue
    created_at: datetime
    seats: int

    def draw(self, salt: str) -> Random:
        """Return the tenant's own dice for one kind of record, so that kinds can be made alone."""
        return Random(self.seed ^ _SALTS[salt])  # noqa: S311  a demo must be the same again


_KINDS = (
    "member", "add_on", "invoice", "delivery", "override", "note", "contract", "condition", "usage", "job", "owner",
)  # fmt: skip
_SALTS = {name: int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) for name in _KINDS}


def sketched(seed: int, index: int, *, now: datetime) -> Sketch:
    """Return the outline of a tenant."""
    digest = blake2b(f"{seed}:{index}".encode(), digest_size=16).digest()
    dice = int.from_bytes(digest)
    firm = company(index)
    region = firm.region or _REGIONS[digest[0] % len(_REGIONS)]
    plan = firm.plan or _PLANS[digest[1] % len(_PLANS)]
    status = firm.status or _STATUSES[digest[2] % len(_STATUSES)]
    tier = firm.tier or ("regional" if region == "eu" and digest[3] < 40 else "shared")
    homes = _HOMES[region]
    # Nine in ten tenants speak the language of their region, the others any.
    tongue = homes[digest[4] % len(homes)] if digest[5] % 10 else TONGUES[digest[4] % len(TONGUES)]
    if index == 0:
        tongue = next(each for each in TONGUES if each.country == "DE")
    days = 400 if index == 0 else 10 + dice // 3 % _OLDEST_DAYS
    return Sketch(
        index=index,
        seed=dice,
        company=firm,
        external_id=f"crm-{index + 1:06d}",
        customer=f"cus_{digest[6:13].hex()}",
        domain="acme.example" if index == 0 else f"{firm.slug[:63]}.example",
        plan=plan,
        region=region,
        status=status,
        tier=tier,
        plane={"regional": REGIONAL_PLANE, "dedicated": DEDICATED_PLANE}.get(tier, "shared"),
        tongue=tongue,
        created_at=now.replace(microsecond=0) - timedelta(days=days, seconds=dice % 86_400),
        seats=SEATS[plan],
    )


def weight(seed: int, index: int) -> int:
    """Return how many of the members a tenant tends to have, against the others: many small ones, few large."""
    draw = blake2b(f"{seed}/{index}".encode(), digest_size=4).digest()
    return (1, 1, 2, 3, 3, 5, 8, 13)[draw[0] & 7] * (12 if draw[1] < 3 else 1)
