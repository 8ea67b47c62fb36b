"""Somebody searches faster than a person reads, to list the customers."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V2.4.1",)


def attack(door: Door) -> Attempts:
    """Search once more than a minute allows; a minute later it works again."""
    agent = door.enter()
    now, house = door.cast.clock.now(), door.cast.house
    with house.store.write() as unit:
        for _ in range(house.book.limits.searches_per_minute):
            unit.throttles.hit("search", door.staff("support_agent"), at=now)
    attempts = door.attempts(429, "throttle.refused", code="throttled")
    for text in ("nordwind", "kestrel", "a@nordwind.example"):
        assert "Logistik" not in attempts.get(agent, f"/search?q={text}").text
    door.cast.clock.pass_by(seconds=61)
    assert agent.get("/search?q=nordwind").status_code == 200
    return attempts
