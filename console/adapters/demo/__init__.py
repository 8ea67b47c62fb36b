"""The demo world: invented tenants, members and staff, the same for the same seed; nothing real lives here."""
