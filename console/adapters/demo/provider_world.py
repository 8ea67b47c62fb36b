"""Fills the invented provider with what the demo's books say it holds, while the rest of the world is made."""

from console.adapters.demo.books import DemoBooks, PayoutLedger
from console.adapters.demo.charges import prices
from console.adapters.demo.generator import DemoWorld
from console.adapters.demo.price_list import ENTITLEMENTS, FEATURES
from console.adapters.fake_stripe.app import FakeStripe
from console.adapters.fake_stripe.furnishing import Going

_BATCH = 10_000  # objects; written at once, and forgotten


class ProviderWorld:
    """Takes the books tenant by tenant, in memory that does not grow with the world.

    Shape: what is there goes on by itself where somebody lets time pass: invoices are taxed, use is counted and billed,
    changes are prorated, and customers are entitled to what their plans give. Until it is closed, its lists are out of
    order.
    """

    def __init__(self, fake: FakeStripe) -> None:
        self._fake = fake
        self._waiting: list[Going] = []
        self._waiting_objects = 0
        self._payouts = PayoutLedger()
        self.count = fake.load(prices())
        fake.furnish(_features())
        fake.book.begin_filling()

    def take(self, books: DemoBooks) -> None:
        """Take what the provider has of one more tenant."""
        self._waiting.append(
            Going(
                customer=books.subscription.provider_customer,
                things=books.provider,
                movements=books.transactions,
                events=books.usage_events,
            )
        )
        self._waiting_objects += len(books.provider) + len(books.transactions)
        self._payouts.add(books.transactions)
        if self._waiting_objects >= _BATCH:
            self._write()

    def close(self, world: DemoWorld) -> int:
        """Write the rest, with the payouts of the whole account, and return how many objects there are."""
        self._write()
        self.count += self._fake.load(self._payouts.payouts(now=world.now))
        self._fake.book.end_filling()
        return self.count

    def _write(self) -> None:
        self._fake.load_customers(self._waiting)
        self.count += self._waiting_objects
        self._waiting, self._waiting_objects = [], 0


def _features() -> dict[str, dict[str, str]]:
    """Return what each plan gives, by the keys of features and their names."""
    names = {each.key: each.name for each in FEATURES}
    given: dict[str, dict[str, str]] = {}
    for each in ENTITLEMENTS:
        if each.value:
            given.setdefault(each.plan, {})[each.feature] = names[each.feature]
    return given
