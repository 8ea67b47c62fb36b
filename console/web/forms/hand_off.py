"""The form of a hand-over: what the product's way in sent along, posted back unchanged."""

from werkzeug.datastructures import MultiDict

from console.usecases.hand_over import Wish

FIELDS = ("client_id", "state", "code_challenge")


def read_wish(sent: MultiDict[str, str]) -> Wish:
    """Return what was asked for; whether it fits is said by the use case."""
    return Wish(
        client_id=sent.get("client_id", ""), state=sent.get("state", ""), challenge=sent.get("code_challenge", "")
    )
