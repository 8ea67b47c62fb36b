"""Signals: what staff did that somebody has to look at."""

from flask import Blueprint, Response, request

from console.domain.decisions import Deny
from console.domain.signals import SignalId
from console.usecases.offer_actions import action_titles, offer_actions
from console.usecases.read_signals import read_signal, read_signals
from console.web import asking, gate, render
from console.web.forms.signals import read_signal_filters
from console.web.shaping_signals import signal_view, signals_view

bp = Blueprint("signals", __name__)


@bp.get("/signals")
@gate.signed_in
def index() -> Response:
    """Show signals, newest first: those that wait, or those that are settled."""
    form = read_signal_filters(request.args)
    page = read_signals(asking.house(), asking.actor(), is_open=form.is_open, before=form.before)
    if isinstance(page, Deny):
        return render.refused(page)
    status = 422 if form.faults else 200
    return render.page("pages/signals/index.html", status=status, page=signals_view(page, form))


@bp.get("/signals/<signal>")
@gate.signed_in
def show(signal: str) -> Response:
    """Show one signal with the entries that it rests on."""
    page = read_signal(asking.house(), asking.actor(), signal=SignalId(signal))
    if isinstance(page, Deny):
        return render.refused(page)
    offers = list(offer_actions(asking.house(), asking.actor(), tenant=None))
    return render.page("pages/signals/signal.html", page=signal_view(page, offers, action_titles(asking.house())))
