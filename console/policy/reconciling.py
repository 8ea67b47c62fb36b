"""Reads the numbers of reconciliation from reconciliation.toml."""

from dataclasses import fields

from console.domain.reconciling.runs import ReconciliationRules
from console.policy.tables import Table

_OTHERS = frozenset({"is_nightly", "nightly_hour_utc"})


def read_reconciliation(table: Table) -> ReconciliationRules:
    """Return the numbers of reconciliation; every key is wanted, and no other."""
    is_nightly = table.flag("is_nightly")
    hour = table.number("nightly_hour_utc", least=0, most=23)
    numbers = {each.name: table.number(each.name) for each in fields(ReconciliationRules) if each.name not in _OTHERS}
    table.done()
    return ReconciliationRules(is_nightly=is_nightly, nightly_hour_utc=hour, **numbers)
