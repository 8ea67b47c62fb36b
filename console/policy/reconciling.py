"""Reads the numbers of reconciliation from reconciliation.toml."""

from dataclasses import fields

from console.domain.reconciling.runs import ReconciliationRules
from console.policy.tables import Table


def read_reconciliation(table: Table) -> ReconciliationRules:
    """Return the numbers of reconciliation; every key is wanted, and no other."""
    is_nightly = table.flag("is_nightly")
    numbers = {each.name: table.number(each.name) for each in fields(ReconciliationRules) if each.name != "is_nightly"}
    table.done()
    return ReconciliationRules(is_nightly=is_nightly, **numbers)
