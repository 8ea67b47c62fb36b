"""Actions on what a tenant is told by webhook: endpoints, deliveries, bulk replays."""
