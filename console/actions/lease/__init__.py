"""Actions on the powers of leases."""
