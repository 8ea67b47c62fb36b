"""The product's half of an impersonation by Sallyport: nothing here decides who may act, everything here obeys."""

from sallyport_kit.acting import ENVIRON_KEY, Acting, acting, counts_as_usage, telemetry_tags
from sallyport_kit.effects import (
    NEVER_ALLOWED,
    NO_ROUTE,
    Declaration,
    Effect,
    Found,
    declaration_of,
    never,
    reads,
    writes,
)
from sallyport_kit.errors import ConsoleRefusedError, ConsoleSilentError, KitError, SettingsError, TokenRefusedError
from sallyport_kit.imported import imported_member_id
from sallyport_kit.kit import Kit
from sallyport_kit.routes import RouteTable
from sallyport_kit.settings import KitSettings

__all__ = [
    "ENVIRON_KEY",
    "NEVER_ALLOWED",
    "NO_ROUTE",
    "Acting",
    "ConsoleRefusedError",
    "ConsoleSilentError",
    "Declaration",
    "Effect",
    "Found",
    "Kit",
    "KitError",
    "KitSettings",
    "RouteTable",
    "SettingsError",
    "TokenRefusedError",
    "acting",
    "counts_as_usage",
    "declaration_of",
    "imported_member_id",
    "never",
    "reads",
    "telemetry_tags",
    "writes",
]
