"""Gives committed entries their position, folds them into the tree and publishes signed checkpoints."""

from sqlalchemy import Connection, insert, update

from console.domain.checkpoints import Checkpoint, Verifier, signed
from console.domain.merkle import leaf_hash
from console.ports.clock import Clock
from console.ports.sequencer import Progress, TrailBrokenError, Verification
from console.ports.signing import CheckpointSigner, CheckpointSink
from console.storage.engines import Database
from console.storage.faults import translated
from console.storage.leadership import leading
from console.storage.rows import table_of
from console.storage.selection import Event, State, next_events, state_of
from console.storage.trail_tables import AuditCheckpointRow, AuditFrontierRow, AuditSeqRow
from console.storage.verifier import verified_trail

_IDLE_DRIFT = 10_000  # transactions; below that an idle poll does not write


class StoredSequencer:
    """The Sequencer on SQLAlchemy."""

    def __init__(
        self,
        database: Database,
        *,
        signer: CheckpointSigner,
        sink: CheckpointSink,
        clock: Clock,
        old_keys: tuple[Verifier, ...] = (),
    ) -> None:
        """Keep the engines of the sequencer's part; `old_keys` signed earlier checkpoints."""
        self._database = database
        self._signer = signer
        self._sink = sink
        self._clock = clock
        self._old_keys = old_keys

    def run_once(self, limit: int = 5_000) -> int:
        """Give up to `limit` entries their position, publish a checkpoint, and return how many."""
        with translated(self._database.name), leading(self._database) as is_leading:
            if not is_leading:
                return 0
            with self._database.turn(writing=False) as engine, engine.connect() as connection:
                before = state_of(connection)
                events, after = next_events(connection, before, limit=limit)
            is_drained = before.drain_high != after.drain_high
            if events or is_drained or after.low - before.low > _IDLE_DRIFT:
                self._store(before, after, events)
            self._publish()
        return len(events)

    def verify(self, progress: Progress | None = None) -> Verification:
        """Check the whole trail in constant memory."""
        signer = self._signer

        def signature_fits(signature: bytes, message: bytes) -> bool:
            return signer.verify(message, signature)

        current = Verifier(signer.name, signer.public_key, signature_fits)
        notes = self._sink.published()
        with translated(self._database.name), self._database.turn(writing=False) as engine:
            options = {} if self._database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
            with engine.connect().execution_options(**options) as connection:
                return verified_trail(
                    connection,
                    notes=notes,
                    verifiers=(current, *self._old_keys),
                    progress=progress or (lambda _done, _total: None),
                )

    def _store(self, before: State, after: State, events: list[Event]) -> None:
        tree = before.tree.copy()
        places = []
        for event in events:
            leaf = leaf_hash(event.body)
            if leaf != event.leaf:
                message = f"Entry {event.uid} was changed after it was written; it must not be signed."
                raise TrailBrokenError(message, event=event.id, uid=event.uid)
            places.append({"seq": tree.append(leaf), "event": event.id, "tenant": event.tenant, "leaf": leaf})
        with self._database.turn(writing=True) as engine, engine.begin() as connection:
            frontier = table_of(AuditFrontierRow)
            fence = update(frontier).where(
                frontier.c.id == 1, frontier.c.size == before.tree.size, frontier.c.cursor == before.cursor
            )
            moved = fence.values(
                size=tree.size,
                hashes=[each.hex() for each in tree.hashes],
                cursor=after.cursor,
                low=after.low,
                drain_low=after.drain_low,
                drain_high=after.drain_high,
            )
            if connection.execute(moved).rowcount == 1 and places:
                connection.execute(insert(table_of(AuditSeqRow)), places)
                self._sign(connection, tree.size, tree.root())

    def _sign(self, connection: Connection, size: int, root: bytes) -> None:
        note = signed(
            Checkpoint(self._signer.name, size, root),
            self._signer.name,
            public_key=self._signer.public_key,
            sign=self._signer.sign,
        )
        values = {"size": size, "root": root, "note": note, "at": self._clock.now()}
        connection.execute(insert(table_of(AuditCheckpointRow)).values(values))

    def _publish(self) -> None:
        """Tell the outside of the newest checkpoint; one that failed is told at the next run."""
        checkpoints, frontier = table_of(AuditCheckpointRow), table_of(AuditFrontierRow)
        with self._database.turn(writing=False) as engine, engine.connect() as connection:
            state = state_of(connection)
            if state.published_size >= state.tree.size:
                return
            note = (
                connection.execute(checkpoints.select().where(checkpoints.c.size == state.tree.size))
                .mappings()
                .one()["note"]
            )
        self._sink.publish(note)
        with self._database.turn(writing=True) as engine, engine.begin() as connection:
            connection.execute(update(frontier).values(published_size=state.tree.size))
