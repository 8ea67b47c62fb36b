"""A governed action on one page: what, preview, reason, run or ask."""

from flask import Blueprint, Response, request, url_for

from console.domain.decisions import Deny
from console.domain.ids import ActionKey
from console.domain.tenancy import DirectoryRow
from console.usecases.prepare_action import action_form
from console.web import asking, gate, walking
from console.web.closed import closed
from console.web.forms.actions import linked, read_action

bp = Blueprint("actions", __name__)


@bp.route("/t/<slug>/actions/<key>", methods=["GET", "POST"])
@gate.tenant_scoped
def create(row: DirectoryRow, key: str) -> Response:
    """Walk an action on the open tenant."""
    return _walked(ActionKey(key), row, href=url_for("actions.create", slug=row.slug, key=key))


@bp.route("/actions/<key>", methods=["GET", "POST"])
@gate.signed_in
def create_control(key: str) -> Response:
    """Walk an action on the console's own books."""
    return _walked(ActionKey(key), None, href=url_for("actions.create_control", key=key))


def _walked(key: ActionKey, row: DirectoryRow | None, *, href: str) -> Response:
    is_post = request.method == "POST"
    given = request.form if is_post else request.args
    tenant = None if row is None else row.id
    form = action_form(
        asking.house(), asking.actor(), key=key, tenant=tenant, typed=given.to_dict(), is_opening=not is_post
    )
    if isinstance(form, Deny):
        return closed(row, form)
    sent = read_action(form.action, given) if is_post else linked(form.action, given)
    return walking.next_step(walking.begin(form, sent, href=href))
