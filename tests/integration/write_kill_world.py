"""A process that asks the provider and is killed with signal 9 in the middle of it, before or after the provider acted.

Told url, file, now and dies.
"""

import os
import pickle
import signal
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.commands import Command
from console.usecases.run_jobs import run_due_jobs
from tests.billing_writer import ModelProvider
from tests.databases import HandClock
from tests.integration.stage import opened_stage


class MortalProvider:
    """The provider of paper, whose books lie in a file outside the house; the house's process can die in its call."""

    def __init__(self, file: Path, *, dies: str = "") -> None:
        """Open the books; `dies` says when: before, after, or never."""
        self._file = file
        self._dies = dies
        self.model: ModelProvider = pickle.loads(file.read_bytes())  # noqa: S301  our own
        self.name = self.model.name
        self.fetch, self.page = self.model.fetch, self.model.page
        self.invoice_of_number, self.carried_out = self.model.invoice_of_number, self.model.carried_out

    def carry_out(self, command: Command, *, key: str) -> Snapshot:
        """Act, write it down, and die where that is wanted."""
        if self._dies == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        made = self.model.carry_out(command, key=key)
        self.model.forget_keys()  # the harder case: nothing but the look-up can tell
        self._file.write_bytes(pickle.dumps(self.model))
        if self._dies == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return made


def run(told: Mapping[str, str]) -> None:
    """Run what is due, and die on the way."""
    clock = HandClock(datetime.fromisoformat(told["now"]))
    provider = MortalProvider(Path(told["file"]), dies=told["dies"])
    with opened_stage(told["url"], {}, clock=clock) as stage:
        house = replace(stage.house, provider=provider, provider_writer=provider)
        run_due_jobs(house, worker=f"process {os.getpid()}")
