"""Texts hold the syntax of six template engines, to have the server compute with them."""

from tests.attacks.door import OVERRIDE, SEATS, Attempts, Door

CHECKLIST = ("V1.3.7", "V1.3.2")
SUMS = (
    "{{77777*99991}}",
    "${77777*99991}",
    "#{77777*99991}",
    "<%= 77777*99991 %>",
    "{%print 77777*99991%}",
    "@(77777*99991)",
    "{77777*99991}",
    "__import__('os')",
)
ANSWER = "7777000007"


def attack(door: Door) -> Attempts:
    """Put each into a note of the reason, then read the request and the page that shows it."""
    agent = door.inside()
    attempts = door.attempts(200, unrecorded="nothing is refused: it is a note, and it is shown as one")
    for text in SUMS:
        request = door.ask(agent, OVERRIDE, SEATS, reason_note=text)
        for path in (f"/requests/{request}", f"/search?q={text.replace('#', '%23')}", "/t/nordwind/entries"):
            answer = attempts.get(agent, path)
            assert ANSWER not in answer.text, (path, text)
    return attempts
