"""Signals, as their templates want them."""

from collections.abc import Mapping, Sequence

from console.domain.ids import StaffId
from console.domain.signals import Response, Signal, SignalKey, SignalRule, State
from console.domain.tenancy import DirectoryRow
from console.usecases.offer_actions import Offer
from console.usecases.read_signals import SignalPage, SignalsPage
from console.web.forms.signals import STATES, SignalsForm
from console.web.paths import path_of
from console.web.shaping import View, entry_row, tenant_view, with_query
from console.web.shaping_tenants import placed_links

_MOST = 99
_RESPONSES = {
    Response.NOTIFY: "Told to those who answer for it",
    Response.STEP_UP: "A second factor is wanted before the next act with a reason",
    Response.FREEZE: "Frozen until two others agree",
}


def signals_view(page: SignalsPage, form: SignalsForm) -> View:
    """Return one page of signals."""
    address = path_of("signals.index")
    waiting = f"{page.waiting}+" if page.waiting >= _MOST else page.waiting or None
    views = ((STATES[0], "Waiting", waiting), (STATES[1], "Settled", None))
    return {
        "presets": [
            {
                "label": label,
                "href": with_query(address, {"state": state}),
                "count": count,
                "is_current": page.is_open is (state == STATES[0]),
            }
            for state, label, count in views
        ],
        "is_open": page.is_open,
        "rows": [
            _row(each, page.rules, page.names, None if each.tenant is None else page.tenants.get(each.tenant))
            for each in page.signals
        ],
        "older": with_query(address, {**_state(page), "before": page.older}) if page.older else "",
        "newest": with_query(address, _state(page)) if form.before else "",
        "faults": form.faults,
    }


def signal_view(page: SignalPage, offers: Sequence[Offer], titles: Mapping[str, str]) -> View:
    """Return one signal: what it rests on, what happened at once, and what was said of it."""
    signal, rule = page.signal, page.rule
    rules = {} if rule is None else {signal.rule: rule}
    is_open = signal.state is State.OPEN
    settled_by = "" if signal.settled_by is None else page.names.get(signal.settled_by, signal.settled_by)
    return {
        "row": _row(signal, rules, page.names, page.tenant),
        "sentence": "This rule is no longer in the policy." if rule is None else rule.sentence,
        "response": _RESPONSES[signal.response],
        "people": [page.names.get(who, who) for who in signal.people],
        "entries": [entry_row(entry, titles, is_linked=True) for entry in reversed(page.entries)],
        "verbs": placed_links(offers, None, "signals", {"signal": signal.id}) if is_open else [],
        "note": signal.note,
        "settled_by": settled_by,
        "settled_at": signal.settled_at,
    }


def _row(
    signal: Signal, rules: Mapping[SignalKey, SignalRule], names: Mapping[StaffId, str], tenant: DirectoryRow | None
) -> View:
    rule = rules.get(signal.rule)
    return {
        "id": signal.id,
        "href": path_of("signals.show", signal=signal.id),
        "label": signal.rule.replace("_", " ").capitalize() if rule is None else rule.label,
        "summary": f"{signal.summary[:1].upper()}{signal.summary[1:]}",
        "who": names.get(signal.staff, signal.staff),
        "tenant": None if tenant is None else tenant_view(tenant),
        "hits": signal.hits,
        "response": signal.response.value,
        "state": "unanswered" if signal.state is State.OPEN else signal.state.value,
        "raised_at": signal.raised_at,
        "last_at": signal.last_at,
    }


def _state(page: SignalsPage) -> dict[str, str]:
    return {"state": STATES[0] if page.is_open else STATES[1]}
