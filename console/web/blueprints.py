"""The list of blueprints; a new page module is added here and nowhere else."""

from flask import Blueprint

from console.web.views import (
    account,
    actions,
    door,
    home,
    inbound,
    leases,
    operations,
    palette,
    periods,
    policy,
    replays,
    requests,
    search,
    staff,
    system,
    tenants,
    trail,
    webhooks,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    system.bp,
    inbound.bp,
    door.bp,
    account.bp,
    home.bp,
    search.bp,
    palette.bp,
    leases.bp,
    tenants.bp,
    webhooks.bp,
    replays.bp,
    actions.bp,
    requests.bp,
    trail.bp,
    staff.bp,
    policy.bp,
    operations.bp,
    periods.bp,
)
