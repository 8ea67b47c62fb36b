"""What every stored field of a tenant is: the one place that says who may read it, and how it looks until then.

Each mapped column of a tenant-owned table stands here once; a test walks the tables and demands it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from console.domain.masking import masked_email, masked_phone, masked_text
from console.domain.redaction import REDACTED, redacted_text


class FieldClass(StrEnum):
    """How a field is treated.

    PUBLIC says nothing of anybody and may stand anywhere. BUSINESS is the tenant's own affair: under a lease, in
    exports of that tenant, never in a log line. NAMED is the name of a person: as BUSINESS, so that two people are not
    mixed up. PERSONAL is shown as a shape only, until one field is revealed with a reason. MIXED was written by
    programs or people and can hold anything: secrets and addresses are taken out of what is shown. SECRET is never
    shown.
    """

    PUBLIC = "public"
    BUSINESS = "business"
    NAMED = "named"
    PERSONAL = "personal"
    MIXED = "mixed"
    SECRET = "secret"  # noqa: S105  a class, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealable:
    """A personal field that can be revealed: how it is called, and the shape in which it stands until then."""

    label: str
    mask: Callable[[str], str]


PERSONAL_FIELDS: Mapping[str, Revealable] = MappingProxyType(
    {
        "plane_member.email": Revealable(label="E-mail address", mask=masked_email),
        "plane_member.phone": Revealable(label="Telephone number", mask=masked_phone),
    }
)

_P, _B, _N, _X, _S = (
    FieldClass.PUBLIC, FieldClass.BUSINESS, FieldClass.NAMED, FieldClass.MIXED, FieldClass.SECRET,
)  # fmt: skip
_TABLES: Mapping[str, Mapping[FieldClass, str]] = {
    "plane_account": {_P: "status created_at", _B: "name status_because country"},
    "plane_account_state": {_P: "version entitlement_version status", _B: "status_because"},
    "plane_applied_execution": {_P: "execution at", _B: "outcome"},
    "plane_webhook_attempt": {
        _P: "id delivery endpoint number trigger run started_at took_ms outcome status keys",
        _X: "error sent_headers got_headers got_body",
    },
    "plane_billing_customer": {_P: "linked_at linked_by unlinked_at", _B: "customer because"},
    "plane_billing_hold": {
        _P: "opened_at outcome reversals updated_at",
        _B: "dispute payment amount_minor currency plan_at_purchase plan_used",
    },
    "plane_billing_object": {
        _P: "kind status at digest api_version fetched_at is_deleted",
        _B: "id customer parent number currency amount_minor",
        _X: "canonical raw",
    },
    "plane_condition": {_P: "id kind starts_at until", _B: "cause"},
    "plane_contract": {_P: "id version starts_at until", _B: "label plan_key"},
    "plane_webhook_delivery": {
        _P: "id message endpoint event_type state created_at due_at trigger attempts tries reason last_outcome"
        " last_status last_at delivered_at fingerprint run claimed_by version",
    },
    "plane_effective_set": {
        _P: "version computed_at valid_until inputs_digest source_version cause",
        _B: "rows",
    },
    "plane_webhook_key": {_P: "id endpoint algorithm created_at expires_at", _B: "public", _S: "sealed"},
    "plane_webhook_endpoint": {
        _P: "id event_types state because rate_per_s created_at version disabled_at failing_since failures_in_row"
        " warned_at breaker_until bucket_tokens bucket_at claimed_by claimed_until",
        _B: "url description",
    },
    "plane_invoice": {
        _P: "status provider_status issued_at due_at paid_at mirrored_at",
        _B: "number amount_minor currency",
    },
    "plane_member": {_P: "id role is_active joined_at last_seen_at", _N: "name"},
    "plane_webhook_message": {
        _P: "id event_type kind created_at expires_at replay_of fanned_at kept_until",
        _B: "subject",
        _X: "payload",
    },
    "plane_note": {_P: "id at", _N: "author", _B: "text"},
    "plane_entitlement_override": {
        _P: "id feature starts_at until ended_at granted_by granted_at op owner",
        _B: "label value reference",
    },
    "plane_own_condition": {_P: "id kind starts_at until set_by set_at", _B: "cause reference"},
    "plane_period_set": {
        _P: "period digest frozen_at",
        _B: "held closing documents events rolled ageing",
    },
    "plane_product_job": {
        _P: "id kind queue state attempts created_at run_at finished_at",
        _X: "last_error",
    },
    "plane_provider_write": {
        _P: "id operation state version wanted_at sent_at settled_at result_kind",
        _B: "subject currency amount_minor result_id",
        _X: "command error",
        _S: "idempotency_key",
    },
    "plane_webhook_run_item": {
        _P: "run position delivery endpoint state tries reason prior_state prior_reason prior_tries prior_due_at",
    },
    "plane_webhook_run": {
        _P: "id state selector digest planned excluded per_endpoint per_type oldest_at newest_at rate_per_s planned_by"
        " planned_at expires_at version sent skipped released failures_in_row skipped_by request started_at"
        " finished_at because counting",
    },
    "plane_subscription_add_on": {_P: "id starts_at until ended_at", _B: "add_on_key quantity"},
    "plane_subscription": {
        _P: "status started_at renews_at mirrored_at",
        _B: "plan_key provider_customer seats amount_minor currency",
    },
    "plane_webhook_bucket": {_P: "tokens at"},
    "plane_tenant": {_B: "external_id"},
    "plane_trial": {_P: "id feature_key starts_at until", _B: "value label"},
    "plane_usage_event": {_P: "row id feature_key at received_at", _B: "quantity"},
    "plane_usage": {_P: "feature_key starts_at until as_of", _B: "used"},
}  # fmt: skip

FIELDS: Mapping[str, FieldClass] = MappingProxyType(
    {
        **{
            f"{table}.{column}": class_
            for table, classes in _TABLES.items()
            for class_, columns in classes.items()
            for column in columns.split()
        },
        **dict.fromkeys(PERSONAL_FIELDS, FieldClass.PERSONAL),
    }
)


def shown(field: str, value: str | None) -> str | None:
    """Return how a text of a field looks to somebody to whom nothing was revealed.

    Raises: KeyError for a field that has no class, so that nothing is shown by mistake.
    """
    class_ = FIELDS[field]
    if value is None:
        return None
    match class_:
        case FieldClass.SECRET:
            return REDACTED
        case FieldClass.PERSONAL:
            return _mask_of(field)(value)
        case FieldClass.MIXED:
            return redacted_text(value)
        case _:
            return value


def revealable(table: str) -> Mapping[str, Revealable]:
    """Return the personal fields of a table by column."""
    return {name.partition(".")[2]: field for name, field in PERSONAL_FIELDS.items() if name.partition(".")[0] == table}


def _mask_of(field: str) -> Callable[[str], str]:
    known = PERSONAL_FIELDS.get(field)
    return masked_text if known is None else known.mask
