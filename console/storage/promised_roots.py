"""The checkpoints kept outside the database: which root was promised at which size, and whether it was kept."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from console.domain.checkpoints import NoteError, Verifier, open_note
from console.domain.merkle import Frontier
from console.ports.sequencer import Finding, FindingKind


class PromisedRoots:
    """Every checkpoint outside, held against the tree as it grows; `met` counts the sizes that were reached."""

    def __init__(self) -> None:
        """Start without any."""
        self._roots: dict[int, bytes] = {}
        self._sizes: list[int] = []
        self._last_good = 0
        self.met = 0

    def read(self, notes: Sequence[str], verifiers: Iterable[Verifier]) -> Iterator[Finding]:
        """Take in the notes, and yield what is wrong with them."""
        known = tuple(verifiers)
        for number, note in enumerate(notes, start=1):
            try:
                checkpoint = open_note(note, known).checkpoint
            except NoteError as refused:
                sentence = f"Checkpoint {number} kept outside is not ours: {refused}"
                yield Finding(kind=FindingKind.NOTE_REFUSED, sentence=sentence)
                continue
            if self._roots.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
                sentence = f"Two checkpoints of size {checkpoint.size} name different roots."
                yield Finding(kind=FindingKind.ROOT_DIFFERS, sentence=sentence)
        self._sizes = sorted(self._roots)

    def sizes(self, after: int, until: int) -> list[int]:
        """Return the promised sizes in (after, until], smallest first."""
        return self._sizes[bisect_right(self._sizes, after) : bisect_right(self._sizes, until)]

    def reached(self, tree: Frontier) -> Iterator[Finding]:
        """Yield what is wrong once the tree has a promised size."""
        promised = self._roots.pop(tree.size)
        self.met += 1
        if promised == tree.root():
            self._last_good = tree.size
            return
        sentence = f"Something between positions {self._last_good} and {tree.size - 1} differs from the checkpoint."
        yield Finding(kind=FindingKind.ROOT_DIFFERS, sentence=sentence, position=tree.size - 1)

    def settled(self, tree: Frontier) -> Iterator[Finding]:
        """Yield what is wrong once the tree is whole."""
        larger = [size for size in self._roots if size > tree.size]
        if larger:
            sentence = f"A checkpoint kept outside counts {max(larger)} entries, the database only {tree.size}."
            yield Finding(kind=FindingKind.TAIL_MISSING, sentence=sentence, position=tree.size)
        elif tree.size and not self.met:
            sentence = "No checkpoint outside vouches for these entries."
            yield Finding(kind=FindingKind.NO_OUTSIDE_COPY, sentence=sentence)
        elif not self.met:  # a house that was wiped looks like one that has only just begun
            sentence = "There is no checkpoint outside the database, so nobody can tell whether entries were removed."
            yield Finding(kind=FindingKind.NOTHING_PROVEN, sentence=sentence)
