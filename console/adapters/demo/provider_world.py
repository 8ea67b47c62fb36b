"""Fills the invented provider with what the demo's books say it holds, while the rest of the world is made."""

from console.adapters.demo.books import DemoBooks, PayoutLedger
from console.adapters.demo.charges import prices
from console.adapters.demo.generator import DemoWorld
from console.adapters.fake_stripe.app import FakeStripe
from console.domain.billing.objects import BillingObject

_BATCH = 10_000  # objects; written at once, and forgotten


class ProviderWorld:
    """Takes the books tenant by tenant, in memory that does not grow with the world."""

    def __init__(self, fake: FakeStripe) -> None:
        self._fake = fake
        self._waiting: list[BillingObject] = list(prices())
        self._payouts = PayoutLedger()
        self.count = 0

    def take(self, books: DemoBooks) -> None:
        """Take what the provider has of one more tenant."""
        self._waiting += books.provider
        self._waiting += books.transactions
        self._payouts.add(books.transactions)
        if len(self._waiting) >= _BATCH:
            self._write()

    def close(self, world: DemoWorld) -> int:
        """Write the rest, with the payouts of the whole account, and return how many objects there are."""
        self._waiting += self._payouts.payouts(now=world.now)
        self._write()
        return self.count

    def _write(self) -> None:
        self._fake.load(self._waiting)
        self.count += len(self._waiting)
        self._waiting = []
