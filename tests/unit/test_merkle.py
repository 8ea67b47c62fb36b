"""The tree equals a naive recursive reading of RFC 6962, and no altered proof passes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.merkle import (
    EMPTY_ROOT,
    Frontier,
    MerkleError,
    consistency_path,
    consistency_spans,
    inclusion_path,
    inclusion_spans,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 70
LEAVES = tuple(leaf_hash(str(number).encode()) for number in range(LARGEST))
SOME = sha256(b"some other hash").digest()


def below(count: int) -> int:
    """Return the largest power of two below a count."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


@cache
def naive_root(start: int, end: int) -> bytes:
    if end == start:
        return sha256(b"").digest()
    if end - start == 1:
        return LEAVES[start]
    middle = start + below(end - start)
    return sha256(b"\x01" + naive_root(start, middle) + naive_root(middle, end)).digest()


def naive_path(index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + below(end - start)
    if index < middle:
        return [*naive_path(index, start, middle), naive_root(middle, end)]
    return [*naive_path(index, middle, end), naive_root(start, middle)]


def naive_proof(first: int, start: int, end: int, *, is_whole: bool = True) -> list[bytes]:
    if first == end:
        return [] if is_whole else [naive_root(start, end)]
    middle = start + below(end - start)
    if first <= middle:
        return [*naive_proof(first, start, middle, is_whole=is_whole), naive_root(middle, end)]
    return [*naive_proof(first, middle, end, is_whole=False), naive_root(start, middle)]


@dataclass(frozen=True)
class Inclusion:
    leaf: bytes
    root: bytes
    index: int
    size: int
    path: tuple[bytes, ...]

    def holds(self) -> bool:
        return verify_inclusion(self.leaf, self.root, index=self.index, size=self.size, path=self.path)


@dataclass(frozen=True)
class Consistency:
    first_root: bytes
    second_root: bytes
    first: int
    second: int
    path: tuple[bytes, ...]

    def holds(self) -> bool:
        return verify_consistency(
            self.first_root, self.second_root, first=self.first, second=self.second, path=self.path
        )


def flipped(raw: bytes, bit: int) -> bytes:
    return (int.from_bytes(raw, "big") ^ (1 << bit)).to_bytes(len(raw), "big")


def bent_paths(path: tuple[bytes, ...], extras: Sequence[bytes]) -> Iterator[tuple[str, tuple[bytes, ...]]]:
    for extra in (b"", b"short", SOME, *extras, *path[:1]):
        yield "appended", (*path, extra)
        yield "prepended", (extra, *path)
    for at, each in enumerate(path):
        yield f"bit of {at}", (*path[:at], flipped(each, (7 * at + len(path)) % 256), *path[at + 1 :])
        yield f"removed {at}", path[:at] + path[at + 1 :]
        yield f"inserted {at}", (*path[:at], SOME, *path[at:])
        yield f"cut {at}", (*path[:at], each[:-1], *path[at + 1 :])
    if len(set(path)) > 1:
        yield "reversed", path[::-1]
    if path:
        yield "emptied", ()


def bent_inclusions(good: Inclusion) -> Iterator[tuple[str, Inclusion]]:
    for index in {good.index - 1, good.index + 1, good.index ^ 2, good.index - good.size}:
        yield f"index {index}", replace(good, index=index)
    for size in {good.size * 2, good.size // 2, 0, -1}:
        yield f"size {size}", replace(good, size=size)
    for wrong in (b"", b"WrongLeaf", SOME, flipped(good.leaf, 3)):
        yield "leaf", replace(good, leaf=wrong)
    for wrong in (b"", EMPTY_ROOT, SOME, flipped(good.root, 255)):
        yield "root", replace(good, root=wrong)
    for name, path in bent_paths(good.path, (good.root, good.leaf)):
        yield name, replace(good, path=path)


def bent_consistencies(good: Consistency) -> Iterator[tuple[str, Consistency]]:
    for first in {good.first - 1, good.first + 1, good.first ^ 2, -good.first} - {good.first}:
        yield f"first {first}", replace(good, first=first)
    for second in {good.second * 2, good.second // 2, 0, -1}:
        yield f"second {second}", replace(good, second=second)
    for wrong in (b"", b"WrongRoot", EMPTY_ROOT, SOME, flipped(good.first_root, 9)):
        yield "first root", replace(good, first_root=wrong)
    for wrong in (b"", b"WrongRoot", EMPTY_ROOT, SOME, flipped(good.second_root, 9)):
        yield "second root", replace(good, second_root=wrong)
    yield "swapped", replace(good, first_root=good.second_root, second_root=good.first_root)
    for name, path in bent_paths(good.path, (good.first_root, good.second_root)):
        yield name, replace(good, path=path)


def test_it_hashes_leaves_and_nodes_apart() -> None:
    assert leaf_hash(b"") == bytes.fromhex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])
    assert bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") == EMPTY_ROOT


def test_it_gives_the_roots_of_the_public_test_vectors() -> None:
    bodies = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [leaf_hash(bytes.fromhex(body)) for body in bodies]
    roots = {
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    assert {size: root_of(leaves[:size]).hex() for size in roots} == roots


def test_it_agrees_with_the_naive_tree_at_every_size() -> None:
    tree = Frontier()
    for size in range(LARGEST + 1):
        assert root_of(LEAVES[:size]) == tree.root() == naive_root(0, size)
        assert Frontier.restored(tree.size, tree.hashes).root() == tree.root()
        assert Frontier(LEAVES[:size]).hashes == tree.hashes
        if size < LARGEST:
            assert tree.append(LEAVES[size]) == size


def test_it_proves_every_leaf_of_every_size() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            path = inclusion_path(LEAVES[:size], index)
            assert path == naive_path(index, 0, size)
            assert Inclusion(LEAVES[index], naive_root(0, size), index, size, tuple(path)).holds()


def test_it_proves_every_extension_of_every_size() -> None:
    for second in range(LARGEST + 1):
        for first in range(second + 1):
            path = consistency_path(LEAVES[:second], first)
            assert path == (naive_proof(first, 0, second) if first else [])
            assert Consistency(naive_root(0, first), naive_root(0, second), first, second, tuple(path)).holds()


def test_it_refuses_every_altered_inclusion_proof() -> None:
    for size in range(1, 34):
        root = naive_root(0, size)
        for index in range(size):
            good = Inclusion(LEAVES[index], root, index, size, tuple(naive_path(index, 0, size)))
            passed = [name for name, bent in bent_inclusions(good) if bent != good and bent.holds()]
            assert passed == [], good


def test_it_refuses_every_altered_consistency_proof() -> None:
    for second in range(2, 34):
        for first in range(1, second):
            proof = tuple(naive_proof(first, 0, second))
            good = Consistency(naive_root(0, first), naive_root(0, second), first, second, proof)
            passed = [name for name, bent in bent_consistencies(good) if bent != good and bent.holds()]
            assert passed == [], good


def test_it_refuses_every_single_bit_flip_in_a_proof() -> None:
    path = tuple(naive_path(5, 0, 13))
    proof = tuple(naive_proof(6, 0, 13))
    for at in range(len(path)):
        for bit in range(256):
            bent = (*path[:at], flipped(path[at], bit), *path[at + 1 :])
            assert not Inclusion(LEAVES[5], naive_root(0, 13), 5, 13, bent).holds()
    for at in range(len(proof)):
        for bit in range(256):
            bent = (*proof[:at], flipped(proof[at], bit), *proof[at + 1 :])
            assert not Consistency(naive_root(0, 6), naive_root(0, 13), 6, 13, bent).holds()


def test_it_refuses_a_path_that_climbs_past_the_root() -> None:
    for size in range(1, 20):
        for index in range(size):
            root, path = naive_root(0, size), tuple(naive_path(index, 0, size))
            for above in (node_hash(SOME, root), node_hash(root, SOME)):
                assert not Inclusion(LEAVES[index], above, index, size, (*path, SOME)).holds()


def test_it_refuses_the_same_bytes_cut_elsewhere() -> None:
    root, left, right = naive_root(0, 2), LEAVES[0], LEAVES[1]
    assert Inclusion(left, root, 0, 2, (right,)).holds()
    assert not Inclusion(left[:31], root, 0, 2, (left[31:] + right,)).holds()
    assert not Inclusion(left + right[:1], root, 0, 2, (right[1:],)).holds()
    assert Consistency(left, root, 1, 2, (right,)).holds()
    assert not Consistency(left[:31], root, 1, 2, (left[31:] + right,)).holds()
    assert not Consistency(left + right[:1], root, 1, 2, (right[1:],)).holds()


def test_it_refuses_a_history_that_was_rewritten() -> None:
    for second in range(2, 34):
        for first in range(1, second):
            for changed in {0, first - 1, first // 2}:
                forged = [*LEAVES[:changed], SOME, *LEAVES[changed + 1 : second]]
                path = tuple(consistency_path(forged, first))
                assert not Consistency(naive_root(0, first), root_of(forged), first, second, path).holds()


@pytest.mark.parametrize(
    ("first", "second", "first_root", "second_root", "path", "holds"),
    [
        (0, 0, EMPTY_ROOT, EMPTY_ROOT, (), True),
        (0, 0, SOME, SOME, (), False),
        (0, 0, EMPTY_ROOT, SOME, (), False),
        (0, 1, EMPTY_ROOT, SOME, (), True),
        (0, 1, SOME, LEAVES[0], (), False),
        (0, 1, EMPTY_ROOT, SOME, (EMPTY_ROOT,), False),
        (1, 1, SOME, SOME, (), True),
        (1, 1, SOME, SOME, (SOME,), False),
        (1, 1, SOME, EMPTY_ROOT, (), False),
        (1, 0, SOME, SOME, (), False),
        (2, 1, SOME, SOME, (), False),
        (1, 2, SOME, SOME, (), False),
        (3, 4, SOME, EMPTY_ROOT, (), False),
    ],
)
def test_it_treats_the_edges_of_consistency_strictly(
    *, first: int, second: int, first_root: bytes, second_root: bytes, path: tuple[bytes, ...], holds: bool
) -> None:
    assert Consistency(first_root, second_root, first, second, path).holds() is holds


def test_it_refuses_inclusion_in_nothing() -> None:
    for index, size in [(0, 0), (1, 0), (1, 1), (2, 1), (-1, 1)]:
        assert not Inclusion(SOME, SOME, index, size, ()).holds()


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_it_makes_no_path_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(MerkleError):
        inclusion_spans(index, size)
    with pytest.raises(MerkleError):
        inclusion_path(LEAVES[:size], index)


@pytest.mark.parametrize(("first", "second"), [(4, 3), (-1, 3)])
def test_it_makes_no_proof_that_time_ran_backwards(first: int, second: int) -> None:
    with pytest.raises(MerkleError):
        consistency_spans(first, second)
    with pytest.raises(MerkleError):
        consistency_path(LEAVES[:second], first)


def test_it_refuses_a_stored_edge_that_does_not_fit() -> None:
    for size, hashes in [(-1, ()), (0, (SOME,)), (3, (SOME,)), (4, (SOME, SOME)), (1, (b"short",))]:
        with pytest.raises(MerkleError):
            Frontier.restored(size, hashes)


def test_it_refuses_to_append_a_body_that_was_not_hashed() -> None:
    tree = Frontier()
    with pytest.raises(MerkleError):
        tree.append(b"body")
    assert (tree.size, tree.root()) == (0, EMPTY_ROOT)


def test_it_tries_a_batch_on_a_copy() -> None:
    tree = Frontier(LEAVES[:5])
    trial = tree.copy()
    trial.append(SOME)
    assert (tree.size, tree.root()) == (5, naive_root(0, 5))
    assert trial.root() == root_of([*LEAVES[:5], SOME])


@settings(max_examples=60)
@given(st.integers(1, 2**50), st.data())
def test_it_names_spans_that_tile_any_large_tree(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    covered = sorted([*inclusion_spans(index, size), (index, index + 1)])
    assert [start for start, _ in covered] == [0, *(end for _, end in covered[:-1])]
    assert covered[-1][1] == size
    first = data.draw(st.integers(1, size))
    spans = sorted(consistency_spans(first, size))
    assert len(spans) <= 51
    assert not spans or spans[-1][1] == size
    assert all(end - start == 1 << ((end - start).bit_length() - 1) for start, end in spans if end != size)


@given(st.lists(st.integers(0, 40), max_size=6))
def test_it_grows_by_many_leaves_as_by_each_of_them(sizes: list[int]) -> None:
    many, single = Frontier(), Frontier()
    for run, size in enumerate(sizes):
        fresh = [leaf_hash(f"{run} {number}".encode()) for number in range(size)]
        many.extend(fresh)
        for leaf in fresh:
            single.append(leaf)
        assert (many.size, many.hashes, many.root()) == (single.size, single.hashes, single.root())


def test_it_adds_none_of_many_leaves_when_one_is_no_hash() -> None:
    tree = Frontier([leaf_hash(b"one")])
    with pytest.raises(MerkleError):
        tree.extend([leaf_hash(b"two"), b"short"])
    assert tree.size == 1
