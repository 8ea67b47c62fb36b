"""Journals in the formats of hledger and beancount, so that a program of somebody else re-balances ours."""

from collections.abc import Mapping
from typing import Protocol, TextIO

from console.domain.accounting.journal import Account, Event
from console.domain.billing.money import exponent


class Journal(Protocol):
    """One journal while it is written."""

    name: str
    count: int

    def add(self, tenant: str, event: Event) -> None:
        """Add a transaction."""
        ...

    def finish(self) -> None:
        """Write what can only be known at the end."""
        ...


class HledgerJournal:
    """Plain text for hledger and ledger."""

    name = "journal.hledger"

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._currencies: set[str] = set()
        self.count = 0
        file.writelines(f"account {account.value}\n" for account in Account)

    def add(self, tenant: str, event: Event) -> None:
        """Add a transaction; what would begin a comment is replaced."""
        text = _line(f"{event.text} | {tenant}").replace(";", ",").replace("|", "-", 1)
        self._file.write(f"\n{event.at:%Y-%m-%d} * ({_line(event.thing).replace(')', ']')}) {text}\n")
        for posting in event.postings:
            self._file.write(f"    {posting.account.value}  {_amount(posting.minor, event.currency)}\n")
        self._currencies.add(event.currency)
        self.count += 1

    def finish(self) -> None:
        """Declare the currencies, which `hledger --strict` asks for."""
        for currency in sorted(self._currencies):
            digits = exponent(currency)
            self._file.write(f"\ncommodity 1000.{'0' * digits} {currency}\n")


class BeancountJournal:
    """Plain text for beancount."""

    name = "journal.beancount"

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.count = 0
        file.writelines(f"2000-01-01 open {account.value}\n" for account in Account)

    def add(self, tenant: str, event: Event) -> None:
        """Add a transaction."""
        payee, text = _quoted(tenant), _quoted(event.text)
        self._file.write(f"\n{event.at:%Y-%m-%d} * {payee} {text}\n  thing: {_quoted(event.thing)}\n")
        for posting in event.postings:
            self._file.write(f"  {posting.account.value}  {_amount(posting.minor, event.currency)}\n")
        self.count += 1

    def finish(self) -> None:
        """Leave it as it is: currencies need no declaration here."""


def journals(files: Mapping[str, TextIO]) -> tuple[Journal, ...]:
    """Return the journals that write into these files, by name."""
    made: tuple[type[HledgerJournal | BeancountJournal], ...] = (HledgerJournal, BeancountJournal)
    return tuple(each(files[each.name]) for each in made)


def _amount(minor: int, currency: str) -> str:
    digits = exponent(currency)
    whole, rest = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}d} {currency}" if digits else f"{sign}{whole} {currency}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    safe = _line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{safe}"'
