"""The closed catalogue of entry actions: what each is called, its sentence, and the marks it bears by default."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from console.domain.reasons import Effect


class Kind(StrEnum):
    """What sort of thing an entry records."""

    ACTION = "action"
    INTENT = "intent"
    OUTCOME = "outcome"
    READ = "read"
    DENIED = "denied"
    SESSION = "session"
    SYSTEM = "system"


class Verb(StrEnum):
    """Create, read, update, delete, or execute."""

    CREATE = "c"
    READ = "r"
    UPDATE = "u"
    DELETE = "d"
    EXECUTE = "x"


class Outcome(StrEnum):
    """How it ended; an intent is unknown until its outcome entry."""

    SUCCESS = "success"
    DENIED = "denied"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Described:
    """One catalogue line.

    Shape: `sentence` goes on after the actor's name and may hold {tenant}, {governed}, {target}, {records},
    {verdict}, {why}; the other fields are what a draft that does not say otherwise bears; a line that `is_governed`
    demands the governed action's key.
    """

    sentence: str
    kind: Kind
    verb: Verb
    class_: str
    effect: Effect = Effect.WRITE
    outcome: Outcome = Outcome.SUCCESS
    is_governed: bool = False


def _did(class_: str, verb: Verb, sentence: str) -> Described:
    return Described(sentence, Kind.ACTION, verb, class_)


def _saw(class_: str, sentence: str) -> Described:
    return Described(sentence, Kind.READ, Verb.READ, class_, Effect.READ)


def _refused(class_: str, verb: Verb, sentence: str) -> Described:
    effect = Effect.READ if verb is Verb.READ else Effect.WRITE
    return Described(sentence, Kind.DENIED, verb, class_, effect, Outcome.DENIED)


def _session(verb: Verb, sentence: str) -> Described:
    return Described(sentence, Kind.SESSION, verb, "session")


def _system(verb: Verb, sentence: str, class_: str = "system", outcome: Outcome = Outcome.SUCCESS) -> Described:
    return Described(sentence, Kind.SYSTEM, verb, class_, outcome=outcome)


def _governed(kind: Kind, outcome: Outcome, sentence: str) -> Described:
    return Described(sentence, kind, Verb.EXECUTE, "governed", Effect.WRITE, outcome, is_governed=True)


C, R, U, D, X = Verb

CATALOGUE: Mapping[str, Described] = MappingProxyType(
    {
        "staff.sign_in": _session(C, "signed in"),
        "staff.sign_in_refused": _refused("session", C, "was refused at sign-in: {why}"),
        "staff.sign_out": _session(D, "signed out"),
        "session.revoked": _session(D, "revoked a session of {target}"),
        "session.expired": _session(D, "was signed out by the clock"),
        "step_up.passed": _session(X, "confirmed with a second factor"),
        "step_up.refused": _refused("session", X, "failed to confirm with a second factor: {why}"),
        "account.read": _saw("session", "looked at their own account"),
        "home.read": _saw("session", "opened the home page"),
        "staff.listed": _saw("staff", "listed the staff"),
        "staff.created": _did("staff", C, "added {target} to the staff"),
        "staff.roles_changed": _did("staff", U, "changed the roles of {target}"),
        "staff.vendor_changed": _did("staff", U, "changed the vendor of {target}"),
        "staff.credentials_set": _did("staff", U, "set new credentials for {target}"),
        "staff.credentials_refused": _refused("staff", U, "was refused setting credentials: {why}"),
        "directory.search": _saw("directory", "searched the directory"),
        "directory.import_refused": _refused("directory", U, "was refused importing the directory: {why}"),
        "directory.imported": _did("directory", U, "imported the directory"),
        "lease.open": _did("lease", C, "opened {tenant}"),
        "lease.refused": _refused("lease", C, "was refused opening {tenant}: {why}"),
        "lease.end": _did("lease", D, "closed {tenant}"),
        "lease.expired": _did("lease", D, "lost {tenant} to the clock"),
        "impersonation.read": _saw("impersonation", "looked at how they act for a member of {tenant}"),
        "impersonation.handed_over": _did("impersonation", X, "took {target} of {tenant} over to the product"),
        "impersonation.entered": _did("impersonation", X, "entered the product as {target} of {tenant}"),
        "impersonation.renewed": _did("impersonation", X, "went on in the product as {target} of {tenant}"),
        "impersonation.refused": _refused("impersonation", X, "was refused acting for {target} of {tenant}: {why}"),
        "impersonation.ended": _did("impersonation", D, "stopped acting for {target} of {tenant}"),
        "impersonation.end_refused": _refused("impersonation", D, "was refused ending an impersonation: {why}"),
        "impersonation.expired": _system(D, "ended the acting for {target} of {tenant}: {why}", "impersonation"),
        "impersonation.request": _did("impersonation", X, "called {target} as a member of {tenant}"),
        "impersonation.request_refused": _refused(
            "impersonation", X, "was refused {target} by the product as a member of {tenant}: {why}"
        ),
        "product.refused": _refused("product", X, "called as the product and was not believed: {why}"),
        "product.key_rotated": _did("product", C, "made a new key for the product's tokens"),
        "product.rotate_refused": _refused("product", C, "was refused a new key for the product's tokens: {why}"),
        "product.told": _system(U, "heard of {target} of {tenant} from the product: {why}", "product"),
        "budget.exceeded": _refused("lease", R, "spent the reading budget: {why}"),
        "tenant.read": _saw("tenant", "read {target} of {tenant}"),
        "tenant.read_refused": _refused("tenant", R, "was refused reading {tenant}: {why}"),
        "request.proposed": _did("request", C, "asked for {governed} on {tenant}"),
        "request.refused": _refused("request", C, "was refused asking for {governed} on {tenant}: {why}"),
        "request.previewed": _saw("request", "previewed {governed} on {tenant}"),
        "request.revised": _did("request", U, "revised the request for {governed} on {tenant}"),
        "request.vote": _did("request", U, "voted {verdict} {governed} on {tenant}"),
        "request.vote_refused": _refused("request", U, "was refused a vote on {governed}: {why}"),
        "request.votes_voided": _did("request", U, "voided the votes on {governed} on {tenant}"),
        "request.approved": _did("request", U, "completed the approval of {governed} on {tenant}"),
        "request.rejected": _did("request", U, "rejected {governed} on {tenant}"),
        "request.cancelled": _did("request", D, "withdrew the request for {governed} on {tenant}"),
        "request.cancel_refused": _refused("request", D, "was refused withdrawing a request: {why}"),
        "request.revoked": _did("request", D, "revoked the approval of {governed} on {tenant}"),
        "request.revoke_refused": _refused("request", D, "was refused revoking an approval: {why}"),
        "request.expired": _did("request", D, "let the request for {governed} on {tenant} run out"),
        "request.stale": _did("request", U, "found the request for {governed} on {tenant} out of date"),
        "request.execute_refused": _refused("request", X, "was refused running {governed} on {tenant}: {why}"),
        "request.read": _saw("request", "read the request for {governed} on {tenant}"),
        "request.read_refused": _refused("request", R, "was refused reading a request: {why}"),
        "request.inbox_read": _saw("request", "read the inbox"),
        "approval.digest_mismatch": _refused("security", X, "found {governed} altered after its approval: {why}"),
        "action.intent": _governed(Kind.INTENT, Outcome.UNKNOWN, "began {governed} on {tenant}"),
        "action.executed": _governed(Kind.ACTION, Outcome.SUCCESS, "ran {governed} on {tenant}"),
        "action.failed": _governed(Kind.ACTION, Outcome.FAILED, "failed to run {governed} on {tenant}: {why}"),
        "action.unknown": _governed(Kind.ACTION, Outcome.UNKNOWN, "lost sight of {governed} on {tenant}: {why}"),
        "notice.sent": _did("notice", X, "sent a notice to {target}"),
        "notice.given_up": _system(X, "gave up a notice to {target}: {why}", "notice", Outcome.FAILED),
        "trail.read": _saw("trail", "read {records} entries of the trail"),
        "trail.read_refused": _refused("trail", R, "was refused reading the trail: {why}"),
        "trail.verified": _saw("trail", "verified the trail"),
        "policy.read": _saw("policy", "read the policy"),
        "job.read": _saw("job", "read {target} of the operations"),
        "job.read_refused": _refused("job", R, "was refused reading the operations: {why}"),
        "job.failed": _system(X, "gave up on {target}: {why}", "job", Outcome.FAILED),
        "job.stalled": _system(X, "found {target} without its worker", "job", Outcome.FAILED),
        "job.paused": _refused("job", X, "was paused by a freeze: {target}, {why}"),
        "review.read": _saw("review", "looked at the reviews"),
        "review.read_refused": _refused("review", R, "was refused looking at the reviews: {why}"),
        "review.overdue": _system(X, "told of an overdue review: {target}", "review"),
        "break_glass.begun": _did("break_glass", X, "broke glass for {governed} on {tenant}"),
        "break_glass.rehearsed": _did("break_glass", X, "rehearsed breaking glass for {governed} on {tenant}"),
        "freeze.read": _saw("freeze", "looked at what is frozen"),
        "freeze.read_refused": _refused("freeze", R, "was refused looking at what is frozen: {why}"),
        "freeze.rehearsed": _system(X, "measured the drill {target}", "freeze"),
        "job.refused": _refused("job", X, "did not run {target}: {why}"),
        "inbound.read": _saw("inbound", "read {target} of the inbox"),
        "inbound.read_refused": _refused("inbound", R, "was refused reading the inbox: {why}"),
        "inbound.refused": _refused("inbound", C, "sent a webhook that is not believed: {why}"),
        "inbound.processed": _system(U, "let the mirror of {tenant} follow the provider", "inbound"),
        "inbound.quarantined": _system(U, "set {target} aside: {why}", "inbound"),
        "provider.asked": _governed(
            Kind.INTENT, Outcome.UNKNOWN, "asks the billing provider for {governed} on {tenant}"
        ),
        "provider.written": _governed(
            Kind.ACTION, Outcome.SUCCESS, "carried {governed} on {tenant} out at the billing provider"
        ),
        "provider.refused": _governed(
            Kind.ACTION, Outcome.FAILED, "could not carry {governed} on {tenant} out at the billing provider: {why}"
        ),
        "provider.unsettled": _governed(
            Kind.ACTION,
            Outcome.UNKNOWN,
            "cannot tell whether the billing provider did {governed} on {tenant}: {why}",
        ),
        "directory.followed": _system(U, "let the directory follow the customers of {tenant}", "directory"),
        "inbound.gap_found": _system(C, "fetched {records} events that never came", "inbound"),
        "access.recalculated": _system(U, "recalculated the access of {tenant}", "access"),
        "access.planned": _system(C, "planned the recalculation {target}", "access"),
        "access.started": _system(X, "began the recalculation {target}", "access"),
        "access.paused": _system(U, "paused the recalculation {target}: {why}", "access"),
        "access.finished": _system(X, "finished the recalculation {target}", "access"),
        "access.read": _saw("access", "read {target} of the access desk"),
        "access.read_refused": _refused("access", R, "was refused reading the access desk: {why}"),
        "webhook.endpoint_warned": _system(U, "warned about {target} of {tenant}", "webhook"),
        "webhook.endpoint_disabled": _system(U, "disabled {target} of {tenant}: {why}", "webhook"),
        "resync.advanced": _system(U, "let mirrors follow the provider in the resync {target}", "inbound"),
        "resync.finished": _system(X, "finished the resync {target}", "inbound"),
        "resync.cancelled": _system(X, "ended the resync {target}, as it was asked to", "inbound"),
        "replay.planned": _system(U, "froze the list of the replay {target} on {tenant}", "replay"),
        "replay.not_planned": _system(U, "ended the plan of the replay {target} on {tenant}: {why}", "replay"),
        "replay.started": _system(X, "began the replay {target} on {tenant}", "replay"),
        "replay.paused": _system(U, "paused the replay {target} on {tenant}: {why}", "replay"),
        "replay.finished": _system(X, "finished the replay {target} on {tenant}", "replay"),
        "replay.cancelled": _system(X, "ended the cancelled replay {target} on {tenant}", "replay"),
        "reconciliation.read": _saw("reconciliation", "read {target} of the reconciliation"),
        "reconciliation.read_refused": _refused("reconciliation", R, "was refused reading the reconciliation: {why}"),
        "reconciliation.started": _system(X, "began the reconciliation {target}", "reconciliation"),
        "reconciliation.done": _system(X, "finished the reconciliation {target}", "reconciliation"),
        "reconciliation.stopped": _system(
            X, "stopped the reconciliation {target}: {why}", "reconciliation", Outcome.FAILED
        ),
        "reconciliation.cancelled": _system(X, "ended the cancelled reconciliation {target}", "reconciliation"),
        "reconciliation.failed": _system(
            X, "gave up the reconciliation {target}: {why}", "reconciliation", Outcome.FAILED
        ),
        "finding.opened": _system(C, "found {target} on {tenant}", "finding"),
        "finding.reopened": _system(U, "found {target} on {tenant} again", "finding"),
        "finding.resolved": _system(U, "no longer finds {target} on {tenant}", "finding"),
        "finding.lapsed": _system(U, "let the waiver of {target} on {tenant} run out", "finding"),
        "finding.healed": _system(U, "healed {target} on {tenant}", "finding"),
        "period.prepared": _system(U, "prepared the period {target}", "period"),
        "period.signed": _system(U, "wrote into the manifest who agreed to the period {target}", "period"),
        "period.gave_up": _system(U, "gave up preparing the period {target}", "period", Outcome.FAILED),
        "period.read": _saw("period", "read {target} of the accounting periods"),
        "period.file_read": _saw("period", "took {target} from the shelf of the accounting periods"),
        "period.read_refused": _refused("period", R, "was refused reading the accounting periods: {why}"),
        "signal.raised": _system(C, "raised {target} about what was done", "signal"),
        "signal.read": _saw("signal", "read {target} of the signals"),
        "signal.read_refused": _refused("signal", R, "was refused reading the signals: {why}"),
        "disclosure.released": _system(U, "let {tenant} see {records} accesses that were kept back", "disclosure"),
        "customer.log_read": _saw("disclosure", "read {records} lines of the access log of {tenant}"),
        "customer.refused": _refused("security", R, "was refused at the customers' door: {why}"),
        "consent.read": _saw("consent", "read the question {target} for consent"),
        "consent.approved": _did("consent", U, "approved {target} for {tenant}"),
        "consent.refused": _did("consent", U, "refused {target} for {tenant}"),
        "consent.used": _did("consent", U, "used {target} up for what was begun on {tenant}"),
        "consent.expired": _system(D, "let the question {target} run out, which refuses it", "consent"),
        "consent.reminded": _system(X, "reminded {tenant} of the question {target}", "consent"),
        "access_policy.read": _saw("consent", "read the access policy of {tenant}"),
        "access_policy.changed": _did("consent", U, "changed the access policy of {tenant}"),
        "letter.sent": _system(X, "sent a letter to {tenant}", "notice"),
        "letter.given_up": _system(X, "gave up a letter to {tenant}: {why}", "notice", Outcome.FAILED),
        "policy.loaded": _system(R, "loaded the policy"),
        "policy.changed": _system(U, "loaded another policy than at the last start"),
        "settings.loaded": _system(R, "loaded the settings"),
        "server.started": _system(X, "started the server"),
        "server.stopped": _system(X, "stopped the server"),
        "csrf.refused": _refused("security", X, "sent a form that this site did not make"),
        "host.refused": _refused("security", R, "asked for a host that is not this one"),
        "route.refused": _refused("security", R, "was refused a page: {why}"),
        "throttle.refused": _refused("security", X, "was asked to slow down"),
        "throttle.summed": _refused("security", X, "was refused so often that the rest was only counted"),
    }
)
