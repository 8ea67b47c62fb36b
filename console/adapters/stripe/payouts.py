"""Which payout sent a balance transaction to the bank: Stripe tells only the other way round, payout by payout."""

from collections.abc import Sequence
from threading import Lock

from console.adapters.stripe.calls import Calls, every
from console.adapters.stripe.reading import Document, reference

_LATEST_S = 45 * 86_400  # a monthly schedule, and some days until money is available
_MOST_KEPT = 500_000  # transactions


class PayoutContents:
    """Contents of automatic payouts; those of a completed one never change and are asked for once."""

    def __init__(self) -> None:
        self._of_payout: dict[str, frozenset[str]] = {}
        self._lock = Lock()

    def of(self, calls: Calls, transactions: Sequence[Document]) -> dict[str, str]:
        """Return the payout of each transaction that is in one. Raises: OutsideError."""
        left = {str(each.get("id")) for each in transactions}
        moments = [each["created"] for each in transactions if isinstance(each.get("created"), int)]
        if not moments:
            return {}
        found: dict[str, str] = {}
        for payout in self._payouts(calls, first=min(moments), last=max(moments) + _LATEST_S):
            name = str(payout.get("id"))
            inside = left & self._contents(calls, payout)
            found |= dict.fromkeys(inside, name)
            left -= inside
            if not left:
                break
        return found

    def _payouts(self, calls: Calls, *, first: int, last: int) -> list[Document]:
        """Return the automatic payouts of a stretch, oldest first: a transaction is in one soon after it was made."""
        created = {"created": {"gte": first, "lte": last}}
        return [each for each in every(calls, "/v1/payouts", created) if each.get("automatic") is True][::-1]

    def _contents(self, calls: Calls, payout: Document) -> frozenset[str]:
        name = str(payout.get("id"))
        with self._lock:
            known = self._of_payout.get(name)
        if known is not None:
            return known
        inside = frozenset(
            str(each.get("id"))
            for each in every(calls, "/v1/balance_transactions", {"payout": name})
            if reference(each.get("source")) != name  # the payout's own row takes out what the others brought in
        )
        if payout.get("reconciliation_status") == "completed":
            with self._lock:
                if sum(map(len, self._of_payout.values())) + len(inside) > _MOST_KEPT:
                    self._of_payout.clear()
                self._of_payout[name] = inside
        return inside
