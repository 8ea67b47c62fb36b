"""The requester votes from a second account of the same natural person."""

from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE

CHECKLIST = ("V2.3.5", "V6.8.1")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Give one person two accounts in the database; failing that, make the requester the voter's person."""
    request = door.suspension_asked()
    person = f"local|{PEOPLE['support_lead'].id}"
    accounts = door.attempts(
        "IntegrityError", unrecorded="the database refuses it under the application, which is never asked"
    )
    accounts.sql("UPDATE staff SET person = ? WHERE id = ?", person, PEOPLE["support_lead_2"].id)
    # The person leaves the first account and comes back by the second one.
    door.sql("UPDATE staff SET person = ? WHERE id = ?", "local|left", PEOPLE["support_lead"].id)
    door.sql("UPDATE staff SET person = ? WHERE id = ?", person, PEOPLE["support_lead_2"].id)
    lead = door.enter("support_lead_2")
    lead.get(f"/requests/{request}")
    voting = door.attempts(403, "request.vote_refused", code="self_approval")
    voting.post(lead, f"/requests/{request}/votes", door.ballot(request))
    return accounts, voting
