"""What can go wrong between a product and the console, each with a word that never changes."""


class KitError(Exception):
    """Anything that the kit complains about."""


class SettingsError(KitError):
    """The kit cannot work as it is set; the sentence says which setting and why."""


class ConsoleSilentError(KitError):
    """The console did not answer in time, or said nothing that can be understood."""


class ConsoleRefusedError(KitError):
    """The console answered a question about a token with no; `sentence` is its own."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence


class TokenRefusedError(KitError):
    """A token cannot be believed; `why` is a word for logs, never for the person who brought it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
