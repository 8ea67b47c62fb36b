"""Give a form the id that its request will bear, so that sending it twice finds the first result."""

from console.domain.ids import RequestId
from console.usecases.house import House


def fresh_form_id(house: House) -> RequestId:
    """Return the id for one new form; nothing is stored."""
    return RequestId(house.ids.new("req"))
