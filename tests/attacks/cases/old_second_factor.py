"""The second factor was shown too long ago for a vote, a run and a dangerous action."""

from tests.attacks.door import CONTRACT, OVERRIDE, SEATS, Attempts, Door

CHECKLIST = ("V7.5.3", "V6.8.4")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Wait ten minutes and go on."""
    agent = door.inside()
    request = door.ask(agent)
    lead = door.enter("finance_lead")
    lead.get(f"/requests/{request}")
    form = {**door.preview(agent, OVERRIDE, SEATS), **CONTRACT}
    door.cast.clock.pass_by(minutes=11)
    voting = door.attempts(403, "request.vote_refused")
    voting.post(lead, f"/requests/{request}/votes", door.ballot(request))
    asking = door.attempts(403, "request.refused")
    asking.post(agent, OVERRIDE, form)
    return voting, asking
