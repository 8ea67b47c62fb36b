"""The digest of an approval is changed in one letter, cut, emptied, or another request's."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V15.4.2", "V2.2.2")


def attack(door: Door) -> Attempts:
    """Vote with digests that are nearly right."""
    request = door.asked()
    lead = door.enter("finance_lead")
    lead.get(f"/requests/{request}")
    right = door.ballot(request)["digest"]
    turned = ("0" if right[0] != "0" else "1") + right[1:]
    attempts = door.attempts(409, "request.vote_refused", code="stale_digest")
    for digest in (turned, right[:-1], right.upper() + "0", "", "0" * 64, f"{right} "):
        attempts.post(lead, f"/requests/{request}/votes", {"verdict": "approve", "digest": digest, "comment": ""})
    return attempts
