"""What crosses tenants: the directory search and the one bulk writer; nothing that a tenant page could call."""
