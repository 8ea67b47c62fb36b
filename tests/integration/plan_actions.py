"""Every governed action once, to its end: asked for by somebody who may, approved by those whom policy names, run."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from console.domain.decisions import Allow, Deny
from console.domain.ids import ActionKey, RequestId, SessionKey
from console.domain.reasons import BREAK_GLASS, Reason
from console.domain.requests import Request, State, Verdict
from console.domain.staff import Actor, Role
from console.ports.actions import Reach
from console.usecases.execute_request import execute_request
from console.usecases.outcomes import Proposal, Ran, Waiting
from console.usecases.parameters import Raw
from console.usecases.propose_action import propose_action
from console.usecases.read_requests import read_request
from console.usecases.run_jobs import run_due_jobs
from console.usecases.sign_in import session_key
from console.usecases.vote_on_request import vote_on_request
from console.web.sessions import COOKIE
from tests.integration.stage import rows
from tests.web.cast import PEOPLE, Cast
from tests.web.matrix import THIS, actor_of
from tests.web.matrix_scene import Scene, brought, settle
from tests.web.matrix_trials import BROWSER, ON_AN_OVERRIDE, REFERENCES, TRIALS
from tests.web.test_matrix_actions import policy_says, table
from tests.web.world import TENANTS

_WORDS = ("alone", "asks")


def walk_actions(fresh: Callable[[], Cast]) -> None:
    """Run every action; where what ran before it leaves it no room, on a fresh stage. Raises: AssertionError."""
    scene: Scene | None = None
    for key in TRIALS:
        if scene is None or not _came_through(scene, key):
            scene = Scene(cast=fresh())
            settle(scene.cast)
            assert _came_through(scene, key), key


def _came_through(scene: Scene, key: str) -> bool:
    """Return whether an action ran, and what it left to the jobs with it."""
    try:
        answer = _asked(scene, key)
    except AssertionError:
        return False  # the world has what it is to be brought already
    state = _decided(scene.cast, answer.request) if isinstance(answer, Waiting) else None
    while run_due_jobs(scene.cast.house, worker="walk", limit=20):
        pass
    return state is State.EXECUTED or (isinstance(answer, Ran) and answer.request.state is State.EXECUTED)


def _asked(scene: Scene, key: str) -> Proposal:
    house = scene.cast.house
    actor, raw, reason = ready(scene, key)
    return propose_action(
        house,
        actor,
        key=ActionKey(key),
        tenant=TENANTS[THIS] if house.registry[ActionKey(key)].reach is Reach.TENANT else None,
        raw=raw,
        reason=reason,
        mark=None,
        form_id=RequestId(house.ids.new("req")),
    )


def ready(scene: Scene, key: str) -> tuple[Actor, Raw, Reason]:
    """Bring what an action needs; return who may ask for it, alone or of others, with what, and for which reason."""
    cast = scene.cast
    role = next(role for word in _WORDS for role, said in table()[key].items() if said == word)
    session = BROWSER
    if key.startswith("impersonation."):  # its session is looked at
        session = SessionKey(session_key(cast.sign_in(role.value).cookie(COOKIE)))
    actor = replace(actor_of(role.value, cast), session=session)
    raw = brought(scene, key, role)
    reason = _reason(scene, actor, key)
    url = cast.storage._settings.database_url
    held = "UPDATE lease SET reason_code = ?, reason_reference = ? WHERE ended_at IS NULL"
    rows(url, held, reason.code, reason.reference)
    rows(url, "UPDATE impersonation SET session = ? WHERE ended_at IS NULL", actor.session)
    if key in ON_AN_OVERRIDE:
        ((grant,),) = rows(url, "SELECT id FROM plane_entitlement_override WHERE ended_at IS NULL LIMIT 1")
        raw = {"override": grant}
    return actor, raw, reason


def _reason(scene: Scene, actor: Actor, key: str) -> Reason:
    """Return the first reason that permits it alone, else the first that lets it be asked for."""
    codes = sorted(scene.cast.house.book.actions[ActionKey(key)].reasons - {BREAK_GLASS})
    said = {code: policy_says(scene, actor, key, code) for code in codes}
    alone = (code for code in codes if isinstance(said[code], Allow))
    asks = (code for code in codes if not isinstance(said[code], Deny))
    code = next(alone, None) or next(asks)
    return Reason(code=code, reference=REFERENCES[code], note="A note where one is needed.")


def _decided(cast: Cast, request: Request) -> State:
    """Let everybody vote who may until it is approved, and run it where nothing else does."""
    for who in voters(request):
        if _now(cast, request).state is State.PENDING:
            voter = actor_of(who, cast)
            read_request(cast.house, voter, request_id=request.id)
            vote_on_request(
                cast.house, voter, request_id=request.id, digest=request.digest, verdict=Verdict.APPROVE
            )  # fmt: skip
    if _now(cast, request).state is State.APPROVED:
        asker = next(who for who, person in PEOPLE.items() if person.id == request.requester)
        execute_request(cast.house, actor_of(asker, cast), request_id=request.id)
    return _now(cast, request).state


def voters(request: Request) -> Iterator[str]:
    """Yield who may vote on a request: whoever has a wanted role and did not ask."""
    wanted: set[Role] = {role for need in request.needs for role in need.roles}
    yield from (who for who, person in PEOPLE.items() if person.role in wanted and person.id != request.requester)


def _now(cast: Cast, request: Request) -> Request:
    with cast.house.store.read() as unit:
        found = unit.requests.get(request.id)
    assert found is not None
    return found
