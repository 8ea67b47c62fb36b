"""The only reads that cross tenants; no writes, and nothing that a tenant page could call."""
