"""Sallyport, governed access to customer tenants; every module belongs to one ring, and imports go inward only."""
