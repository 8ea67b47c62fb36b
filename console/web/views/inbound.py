"""The address that providers call with their webhooks: strangers all, believed by their signature only."""

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from console.domain.errors import NotFoundError
from console.usecases.receive_inbound import NotBelieved, receive_inbound
from console.web import asking, gate

bp = Blueprint("inbound", __name__)
LARGEST_EVENT = 256 * 1024


@bp.post("/inbound/<provider>")
@gate.unattended
def receive(provider: str) -> Response:
    """Take an event in: 200 once it is kept, also when it was before; 400 when not believed, 404, 413."""
    if (request.content_length or 0) > LARGEST_EVENT:
        raise RequestEntityTooLarge
    request.max_content_length = LARGEST_EVENT
    try:
        answer = receive_inbound(
            asking.house(),
            provider=provider,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.get_data(cache=False),
            origin=asking.origin(),
        )
    except NotFoundError:  # said without a page and an entry: whoever tries addresses must not fill the trail
        return Response("No such provider sends here.\n", status=404, mimetype="text/plain")
    if isinstance(answer, NotBelieved):
        return Response("Not believed.\n", status=400, mimetype="text/plain")
    return Response(status=200, mimetype="text/plain")
