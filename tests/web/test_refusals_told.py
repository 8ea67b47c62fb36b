"""What a refusal says: the rule by its id where one stands behind it, and JSON to programs."""

from tests.web.cast import Browser, Cast

CLOSED = "/t/nordwind/members"


def test_a_tenant_that_is_not_open_names_the_rule_that_says_so(cast: Cast, agent: Browser) -> None:
    answer = agent.get(CLOSED)
    assert answer.status_code == 404
    assert 'Rule <span class="mono">tenant.no_lease</span>' in answer.text
    assert "Open with a reason" in answer.text
    assert "tenant.no_lease" in cast.house.book.rules
    (entry,) = cast.entries("tenant.read_refused")
    assert entry["authorisation"]["rules"] == ["tenant.no_lease"]


def test_a_tenant_that_is_not_open_tells_programs_in_json(agent: Browser) -> None:
    answer = agent.get(CLOSED, Accept="application/json")
    assert (answer.status_code, answer.mimetype) == (404, "application/json")
    assert answer.json is not None
    assert answer.json["error"] == "no_lease"
    assert answer.json["remedy"]
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]


def test_what_no_rule_refused_names_none(agent: Browser) -> None:
    text = agent.get("/t/no-such-tenant/members").text
    assert "Rule <span" not in text
    assert "state of things" not in text
