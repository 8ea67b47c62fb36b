"""Log lines without secrets: whatever a library or a bug puts into one, tokens and addresses are taken out first."""

import logging
import traceback
from typing import Any

from console.domain.redaction import redacted_text


class ScrubbedRecord(logging.LogRecord):
    """A log record whose message, and whose trace where there is one, hold no secret."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  what logging hands on
        """Write the trace at once, so that every formatter takes the scrubbed one."""
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = redacted_text("".join(traceback.format_exception(*self.exc_info)).rstrip("\n"))

    def getMessage(self) -> str:  # noqa: N802  logging's own name
        """Return the message with its arguments, scrubbed."""
        return redacted_text(super().getMessage())


def scrub_logs() -> None:
    """Let every log line of this process be scrubbed, whoever writes it."""
    logging.setLogRecordFactory(ScrubbedRecord)
