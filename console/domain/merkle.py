"""The Merkle tree of RFC 6962: leaves, roots, and the two proofs that a verifier can check alone."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from console.domain.errors import ConsoleError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

Span = tuple[int, int]


class MerkleError(ConsoleError):
    """The tree was asked for something that it cannot hold or prove."""

    code = "merkle_invalid"


def leaf_hash(body: bytes) -> bytes:
    """Return the hash of one stored body."""
    return sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash over two subtrees; its prefix keeps a node from passing for a leaf."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: enough to append and to know the root, in log2(size) hashes."""

    __slots__ = ("_edge", "_size")

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        """Start an empty tree and append the leaf hashes given."""
        self._edge: list[bytes] = []
        self._size = 0
        self.extend(leaves)

    @classmethod
    def restored(cls, size: int, hashes: Sequence[bytes]) -> "Frontier":
        """Return the tree whose `size` and `hashes` were stored.

        Raises: MerkleError when the number or the length of the hashes does not fit the size.
        """
        if size < 0 or len(hashes) != size.bit_count() or not _are_hashes(hashes):
            message = f"{len(hashes)} hashes cannot be the edge of a tree of {size} leaves."
            raise MerkleError(message, size=size)
        tree = cls()
        tree._edge = list(hashes)
        tree._size = size
        return tree

    @property
    def size(self) -> int:
        """Return the number of leaves."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """Return the roots of the full subtrees, largest first: what has to be stored beside the size."""
        return tuple(self._edge)

    def append(self, leaf: bytes) -> int:
        """Add one leaf hash and return its index.

        Raises: MerkleError when it is not 32 bytes, for example a body that was never hashed.
        """
        if len(leaf) != HASH_BYTES:
            message = f"A leaf hash has {HASH_BYTES} bytes, this has {len(leaf)}."
            raise MerkleError(message)
        index = self._size
        carried, full = leaf, index
        while full & 1:
            carried = node_hash(self._edge.pop(), carried)
            full >>= 1
        self._edge.append(carried)
        self._size = index + 1
        return index

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add many leaf hashes, level by level: about a third of the time of one by one.

        Raises: MerkleError when one is not 32 bytes; then none was added.
        """
        level = list(leaves)
        if not _are_hashes(level):
            message = f"A leaf hash has {HASH_BYTES} bytes, and one of these has not."
            raise MerkleError(message)
        full, edge, fresh = self._size, self._edge, []
        self._size += len(level)
        while level:
            if full & 1:
                level = [edge.pop(), *level]
            if len(level) & 1:
                fresh.append(level.pop())
            pairs = zip(level[::2], level[1::2], strict=True)
            level = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
            full >>= 1
        edge.extend(reversed(fresh))

    def root(self) -> bytes:
        """Return the root of all leaves so far."""
        if not self._edge:
            return EMPTY_ROOT
        folded = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            folded = node_hash(left, folded)
        return folded

    def copy(self) -> "Frontier":
        """Return a second tree that grows by itself, to try a batch before it is stored."""
        return Frontier.restored(self._size, self._edge)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes, level by level."""
    level = list(leaves)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        last = [level.pop()] if len(level) & 1 else []
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [node_hash(left, right) for left, right in pairs] + last
    return level[0]


def inclusion_spans(index: int, size: int) -> list[Span]:
    """Return the subtrees [start, end) whose roots are the inclusion path, so that stored tiles can supply them.

    Raises: MerkleError when the tree has no such leaf.
    """
    if not 0 <= index < size:
        message = f"A tree of {size} leaves has no leaf {index}."
        raise MerkleError(message, index=index, size=size)
    start, end, spans = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def consistency_spans(first: int, second: int) -> list[Span]:
    """Return the subtrees [start, end) whose roots prove that the larger tree extends the smaller.

    Raises: MerkleError when the first size is larger or negative.
    """
    if not 0 <= first <= second:
        message = f"A tree of {second} leaves cannot extend one of {first}."
        raise MerkleError(message, first=first, second=second)
    if first == 0:
        return []
    start, end, spans, is_first_root = 0, second, [], True
    while end != first:
        middle = start + _split(end - start)
        if first <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start, is_first_root = middle, False
    if not is_first_root:
        spans.append((start, end))
    return spans[::-1]


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the proof that a leaf stands at an index. Raises: MerkleError when there is none."""
    return [root_of(leaves[start:end]) for start, end in inclusion_spans(index, len(leaves))]


def consistency_path(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """Return the proof that these leaves extend their first ones. Raises: MerkleError when there are fewer."""
    return [root_of(leaves[start:end]) for start, end in consistency_spans(first, len(leaves))]


def verify_inclusion(leaf: bytes, root: bytes, *, index: int, size: int, path: Sequence[bytes]) -> bool:
    """Return whether the path leads from this leaf to this root. Source: RFC 9162 section 2.1.3.2."""
    if not 0 <= index < size or not _are_hashes((leaf, root, *path)):
        return False
    here, last, climbed = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            climbed = node_hash(sibling, climbed)
            here, last = _to_left_turn(here, last)
        else:
            climbed = node_hash(climbed, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and climbed == root


def verify_consistency(
    first_root: bytes, second_root: bytes, *, first: int, second: int, path: Sequence[bytes]
) -> bool:
    """Return whether the second tree holds the first one unchanged. Source: RFC 9162 section 2.1.4.2."""
    if not 0 <= first <= second or not _are_hashes((first_root, second_root, *path)):
        return False
    if first == second:
        return not path and first_root == second_root and (first > 0 or first_root == EMPTY_ROOT)
    if first == 0:
        return not path and first_root == EMPTY_ROOT
    # 1. A first tree that is one full subtree is its own starting point, otherwise the path names it.
    steps = [first_root, *path] if first & (first - 1) == 0 else list(path)
    if not steps:
        return False
    here, last = first - 1, second - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    # 2. Climb with two hands: one must end at the old root, the other at the new one.
    old = new = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            here, last = _to_left_turn(here, last)
        else:
            new = node_hash(new, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _to_left_turn(here: int, last: int) -> tuple[int, int]:
    """Skip the levels where a lone right edge is carried up unhashed."""
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last


def _split(count: int) -> int:
    """Return the largest power of two below a count of at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _are_hashes(hashes: Iterable[bytes]) -> bool:
    return all(len(each) == HASH_BYTES for each in hashes)
