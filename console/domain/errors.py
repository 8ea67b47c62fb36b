"""The broken expectations of the console, each with a code that never changes."""


class ConsoleError(Exception):
    """A broken expectation; `code` is stable and `facts` say which thing was meant."""

    code: str = "console_error"

    def __init__(self, message: str = "", **facts: str | int) -> None:
        """Keep the sentence for people and the facts for records."""
        super().__init__(message or self.code)
        self.facts: dict[str, str | int] = dict(facts)


class OutsideError(ConsoleError):
    """The outside world failed; only a passing failure (`permanent=False`) may be retried."""

    code = "outside_error"

    def __init__(self, message: str = "", *, permanent: bool, **facts: str | int) -> None:
        """Say whether trying again can help."""
        super().__init__(message, **facts)
        self.permanent = permanent


class UncertainError(OutsideError):
    """The outside world failed when what was asked of it may have been done; whoever asked has to look."""

    code = "outcome_uncertain"


class NotFoundError(ConsoleError):
    """Nothing with that id can be seen by this person."""

    code = "not_found"


class ConflictError(ConsoleError):
    """The thing is no longer in the state that the caller saw."""

    code = "conflict"


class ScopeError(ConsoleError):
    """Tenant data was reached for without the scope of exactly that tenant."""

    code = "scope_violated"


class TrailUnavailableError(ConsoleError):
    """The entry could not be written, therefore nothing was done."""

    code = "trail_unavailable"


class BadValueError(ConsoleError):
    """A field of a form, file or call is wrong; `facts` name field and remedy."""

    code = "bad_value"


class UnreadableObjectError(ConsoleError):
    """An object of the provider lacks what its kind must have; `facts` name kind, id and why."""

    code = "unreadable_object"
