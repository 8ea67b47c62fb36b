"""The catalogue of discrepancies: every kind that reconciliation can find, who may repair it, and by what.

Numbers are rows of the catalogue in docs/reconciliation.md; a row may have several kinds.
"""

from collections.abc import Mapping

from console.domain.ids import ActionKey
from console.domain.reconciling.findings import Kind, RepairClass

ROWS = 37
# How a row below says who repairs: H heals by itself, R by one click; the others are the classes' own letters.
_HEALS = "H"


def _kind(  # noqa: PLR0917  a table reads by column
    number: int, key: str, compares: str, repair: str, action: str | None, title: str, sentence: str
) -> Kind:
    return Kind(
        key=key,
        number=number,
        title=title,
        sentence=sentence,
        compares=compares,
        repair=RepairClass.SAFE if repair == _HEALS else RepairClass(repair),
        action=None if action is None else ActionKey(action),
        heals=repair == _HEALS,
    )


_RESYNC, _RECALC, _REPLAY = "billing.resync", "entitlement.recalculate", "inbound.replay"
_CREDIT, _REFUND, _DISPUTE = "billing.issue_credit", "billing.refund", "billing.note_dispute"
_GRACE, _WAIVE = "entitlement.grant_grace", "finding.waive"

# fmt: off
_CUSTOMERS = (
    _kind(1, "customer_unmapped", "P-M", "F", "billing.link_customer", "Customer without tenant",
          "The provider has a live customer that no tenant is linked to."),
    _kind(1, "customer_drift", "P-M", "H", _RESYNC, "Customer differs",
          "The mirror holds other master data of the customer than the provider, or none."),
    _kind(2, "customer_duplicate", "P-M", "F", "billing.cancel_duplicate", "Two customers of one tenant",
          "The provider has more than one customer for this tenant; choose which one stays, nothing is merged."),
    _kind(3, "mapping_conflict", "P-M", "F", "billing.unlink_customer", "One customer of two tenants",
          "Two tenants claim the same customer of the provider; billing writes wait until one lets go."),
    _kind(4, "tenant_without_customer", "P-M", "A", _WAIVE, "Paid plan without customer",
          "The tenant has a paid plan, but neither a customer at the provider nor a contract; link it, or waive this "
          "until the date of the contract that is paid elsewhere."),
)
_SUBSCRIPTIONS = (
    _kind(5, "sub_missing_local", "P-M", "H", _RESYNC, "Subscription missing here",
          "The provider has a subscription that the mirror never heard of."),
    _kind(6, "sub_missing_remote", "P-M", "H", _RESYNC, "Subscription gone at the provider",
          "The mirror holds a subscription that the provider no longer has."),
    _kind(7, "sub_status_drift", "P-M", "H", _RESYNC, "Subscription status differs",
          "The provider and the mirror disagree on the state of a subscription."),
    _kind(8, "sub_plan_drift", "P-M", "H", _RESYNC, "Subscribed plan differs",
          "The provider bills another plan or price than the mirror holds."),
    _kind(8, "sub_price_drift", "P-M", "H", _RESYNC, "Subscribed price differs",
          "The plan is the same, but the provider bills another price of it."),
    _kind(8, "sub_quantity_drift", "P-M", "H", _RESYNC, "Subscribed quantity differs",
          "The provider bills another quantity than the mirror holds."),
    _kind(8, "sub_price_unknown", "P", "X", None, "Price unknown",
          "A live subscription uses a price that is not in the provider's price list."),
    _kind(9, "sub_period_drift", "P-M", "H", _RESYNC, "Billing period differs",
          "Start, end, anchor or end of the trial differ between provider and mirror."),
    _kind(10, "sub_multiple_active", "P", "F", "billing.cancel_duplicate", "Several live subscriptions",
          "The customer pays for more than one plan at a time; keep one, cancel the other and refund."),
    _kind(11, "cancel_flag_drift", "P-M", "H", _RESYNC, "Cancellation differs",
          "Only one side knows that the subscription ends with its period."),
)
_INVOICES = (
    _kind(12, "invoice_missing_local", "P-M", "H", _RESYNC, "Invoice missing here",
          "The provider has issued an invoice that the mirror never heard of."),
    _kind(13, "invoice_missing_remote", "P-M", "X", None, "Invoice unknown to the provider",
          "The mirror holds an invoice that the provider does not have."),
    _kind(14, "invoice_amount_drift", "P-M", "H", _RESYNC, "Invoice amounts differ",
          "The provider and the mirror disagree on lines, discount, tax or total of an invoice."),
    _kind(14, "invoice_amount_drift_closed", "P-M", "F", _CREDIT, "Amounts of a closed invoice differ",
          "An invoice of a closed period has other amounts at the provider; adjust in an open period."),
    _kind(15, "invoice_status_drift", "P-M", "H", _RESYNC, "Invoice status differs",
          "The provider and the mirror disagree on whether an invoice is open, paid, void or written off."),
    _kind(16, "invoice_lines_do_not_add_up", "P", "X", None, "Invoice does not add up",
          "At the provider itself lines, discount, tax, total and what was paid of an invoice do not tie out."),
    _kind(17, "paid_without_payment", "P", "X", None, "Paid without payment",
          "An invoice is paid, but no payment, credit balance, discount or payment elsewhere accounts for it."),
    _kind(17, "paid_other_than_allocated", "P", "X", None, "Paid other than allocated",
          "What payments gave to an invoice is not what the invoice says was paid."),
)
_PAYMENTS = (
    _kind(18, "payment_not_in_mirror", "P-M", "H", _RESYNC, "Payment missing or different here",
          "The mirror does not hold a payment as the provider has it."),
    _kind(18, "payment_without_invoice", "P", "F", "billing.apply_payment", "Payment without invoice",
          "Money came in that no invoice was paid with; apply it or refund it."),
    _kind(18, "payment_unapplied", "P", "F", "billing.apply_payment", "Payment partly unapplied",
          "A part of a payment pays nothing; apply it or refund it."),
    _kind(18, "payment_over_allocated", "P", "X", None, "More allocated than paid",
          "Invoices got more from a payment than it captured."),
    _kind(19, "payment_after_cancellation", "P", "F", _REFUND, "Paid after the end",
          "The customer paid for time after the subscription had ended."),
    _kind(20, "refund_not_in_mirror", "P-M", "H", _RESYNC, "Refund missing or different here",
          "The mirror does not hold a refund as the provider has it."),
    _kind(20, "refund_failed", "P", "F", _REFUND, "Refund failed",
          "A refund failed and none took its place: the customer still waits for the money."),
    _kind(20, "refund_exceeds", "P", "X", None, "More refunded than captured",
          "More went back than the payment had captured."),
    _kind(20, "refund_total_mismatch", "P", "X", None, "Refunds do not add up",
          "The payment says that another amount went back than its refunds do."),
    _kind(21, "refund_full_but_access_kept", "M-E", "F", "entitlement.end_coverage", "Refunded, access kept",
          "Everything paid for the running period went back, but access goes on."),
    _kind(22, "dispute_not_in_mirror", "P-M", "H", _RESYNC, "Dispute missing or different here",
          "The mirror does not hold a dispute as the provider has it."),
    _kind(22, "dispute_open", "P", "F", _DISPUTE, "Open dispute not noted",
          "A bank is asking a payment back and nothing is held here, or was taken back too early."),
    _kind(22, "dispute_lost", "P", "F", _DISPUTE, "Lost dispute not noted",
          "A dispute was lost, but its effect was not reversed exactly once."),
    _kind(22, "dispute_won", "P", "F", _DISPUTE, "Won dispute not noted",
          "A dispute was won, but what was held is not restored."),
    _kind(23, "dispute_effect_used_current_product_state", "M-E", "X", None, "Dispute judged by today's plan",
          "The effect of a dispute was worked out from the plan of today, not from what had been bought."),
    _kind(24, "credit_note_not_in_mirror", "P-M", "H", _RESYNC, "Credit note missing or different here",
          "The mirror does not hold a credit note as the provider has it."),
    _kind(24, "credit_balance_mismatch", "P-M", "H", _RESYNC, "Credit balance differs",
          "The provider and the mirror disagree on the customer's balance."),
    _kind(24, "credit_note_does_not_add_up", "P", "F", _CREDIT, "Credit note does not add up",
          "The parts of a credit note are not its total; correct it by a counter-entry."),
    _kind(24, "credit_applied_twice", "P", "X", None, "Credited twice",
          "Credit notes of an invoice add up to more than the invoice."),
    _kind(24, "credit_balance_unexplained", "P", "F", _CREDIT, "Credit balance unexplained",
          "Credit notes and invoices give another balance than the customer has; correct it by a counter-entry."),
    _kind(24, "credit_balance_stranded", "P", "F", _CREDIT, "Credit balance stranded",
          "A customer without a live subscription has a balance that nothing will ever use up."),
)
_ACCESS = (
    _kind(25, "access_without_billing", "M-E", "H", _RECALC, "More access than paid for",
          "The product grants more than plan, contract, trial, add-ons and overrides give."),
    _kind(25, "access_never_billed", "M-E", "A", _GRACE, "Paid plan, nothing billed",
          "A paid plan is granted, but no live subscription or contract pays for it: grant grace, or revoke."),
    _kind(26, "billing_without_access", "M-E", "H", _RECALC, "Paid, but no access",
          "The product grants less than the customer pays for: repair this first."),
    _kind(27, "entitlement_stale", "M-E", "H", _RECALC, "Effective set out of date",
          "What the product reads was computed before the last change, or is past its date, or is missing."),
    _kind(28, "override_expired_but_effective", "C-E", "H", _RECALC, "Ended override still effective",
          "An override has ended, but the product still grants it."),
    _kind(28, "override_without_owner", "C-E", "A", "entitlement.assign_owner", "Override without owner",
          "A running override belongs to nobody who would be reminded of its end."),
    _kind(28, "override_without_reason", "C-E", "A", "entitlement.end_override", "Override without reason",
          "A running override has neither a label nor a reference that says why."),
    _kind(28, "override_without_expiry", "C-E", "A", "entitlement.end_override", "Override without end",
          "A running override never ends."),
    _kind(28, "override_now_in_plan", "C-E", "A", "entitlement.end_override", "Override redundant",
          "Without the override the tenant would have the same."),
    _kind(29, "trial_overrun", "M-E", "H", _RECALC, "Trial overrun",
          "A trial has ended, but the product still grants what was tried."),
    _kind(29, "grace_overrun", "M-E", "H", _RECALC, "Grace overrun",
          "The grace is over, but the product still grants access in grace."),
    _kind(29, "dunning_access_kept", "M-E", "H", _RECALC, "Unpaid, access kept",
          "The subscription is unpaid or paused, but the product still grants full access."),
    _kind(29, "unpaid_with_access", "M-E", "A", _GRACE, "Collecting given up, access kept",
          "The provider tries no more to collect, yet the subscription stays past due and nothing ends access."),
    _kind(29, "recovered_but_suspended", "M-E", "A", "tenant.resume", "Recovered, still suspended",
          "Everything due is paid and nobody stated another reason, but the tenant is suspended."),
)
_USAGE = (
    _kind(30, "usage_missing", "U-M", "X", None, "Use not counted",
          "Raw events add up to more than the count that access and billing read, or to less; count again."),
    _kind(30, "usage_duplicate", "U-M", "X", None, "Use counted twice",
          "The same raw event was counted more than once; count again."),
    _kind(30, "usage_late", "U-M", "X", None, "Use after the close",
          "Use of a closed period came in after the close; bill it in the next one."),
    _kind(31, "usage_billed_quantity_mismatch", "U-M", "X", None, "Billed other than used",
          "An invoice line bills another quantity than the raw events of its period add up to."),
    _kind(31, "limit_mismatch", "U-M", "X", None, "Paid limit is not the plan's",
          "The seats of the subscription are not those that plan or contract give."),
    _kind(31, "seat_count_mismatch", "U-M", "X", None, "Seats billed other than members",
          "Seats are billed one by one, but another number of members is active."),
)
_MONEY = (
    _kind(32, "proration_mismatch", "P", "F", _CREDIT, "Proration is wrong",
          "A line for part of a period is not what that part costs; credit it and bill anew."),
    _kind(32, "tax_mismatch", "P", "F", _CREDIT, "Tax is wrong",
          "The tax of an invoice is not what its rates give; credit it and bill anew."),
    _kind(32, "tax_missing", "P", "F", _CREDIT, "Tax is missing",
          "A line that belongs to a jurisdiction has no rate, not even zero; credit it and bill anew."),
    _kind(32, "rounding_difference", "P", "A", _WAIVE, "Rounding",
          "Tax or proration is off by no more than one minor unit a line."),
    _kind(33, "currency_mismatch", "P", "X", None, "Currencies mixed",
          "Plan, price, invoice, payment and mirror name more than one currency; nothing is ever converted."),
)
_EVENTS = (
    _kind(34, "event_gap", "events", "R", _RESYNC, "Event never arrived",
          "The provider made an event that the inbox never saw."),
    _kind(34, "event_stuck", "events", "A", _REPLAY, "Events wait too long",
          "The oldest event of the inbox has waited for more than an hour."),
    _kind(34, "event_failed", "events", "A", _REPLAY, "Events failed",
          "Events of the last day could not be processed."),
    _kind(34, "signature_failures", "events", "X", None, "Signatures fail",
          "Far more events than usual came with a signature that does not hold."),
    _kind(34, "unknown_event_type", "events", "X", None, "Unknown events",
          "The provider sends events of a type that nothing here understands."),
    _kind(35, "payout_mismatch", "cash", "X", None, "Payout does not add up",
          "What is in a payout does not add up to it."),
    _kind(35, "payout_overdue", "cash", "X", None, "Payout overdue",
          "A payout should have reached the bank days ago."),
    _kind(35, "payout_unattributable", "cash", "X", None, "Payout without contents",
          "A payout made by hand does not say what is in it; add a note from the bank."),
    _kind(36, "export_mismatch", "books", "X", None, "Sealed file changed",
          "A sealed file of a closed period is missing, or is not what was sealed."),
    _kind(36, "closed_period_changed", "books", "F", _CREDIT, "Closed period changed",
          "An invoice of a closed period is no longer what was closed; adjust in an open period."),
    _kind(37, "test_mode_mix", "P", "X", None, "Test and live mixed",
          "Something made in test mode stands in live books, or the reverse."),
    _kind(37, "deleted_price_in_use", "P", "X", None, "Withdrawn price in use",
          "A live subscription uses a price that is no longer sold."),
    _kind(37, "unknown_enum", "P", "X", None, "Unknown word",
          "The provider uses a state or currency that nothing here knows; it grants nothing until somebody looks."),
    _kind(37, "unreadable_object", "P", "X", None, "Unreadable object",
          "The provider's answer lacks what such an object must have, or holds what it cannot have."),
)
# fmt: on

KINDS: Mapping[str, Kind] = {
    kind.key: kind
    for group in (_CUSTOMERS, _SUBSCRIPTIONS, _INVOICES, _PAYMENTS, _ACCESS, _USAGE, _MONEY, _EVENTS)
    for kind in group
}
