"""What of reconciliation a period's close waits for."""

from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.findings import RepairClass

COUNTED_TO = 1_000
# What only finance may decide: none of it may stand while a month is closed.
MONEY_KINDS = frozenset(key for key, kind in KINDS.items() if kind.repair is RepairClass.FINANCE)
