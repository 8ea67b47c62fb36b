"""What reconciliation compares, what it can find, and how a finding lives; pure functions over values."""
