"""The product's signing key is given a new one by two at once, as by two operators at two machines."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from console.adapters import token_keys
from console.adapters.connected_product import ConnectedProduct
from console.adapters.token_keys import FileTokenKeys
from console.usecases.house import House
from console.usecases.operator import operator
from console.usecases.rotate_product_key import rotate_product_key
from tests.databases import TestFingerprints
from tests.integration.race_world import Meeting, at_once, pool, stage
from tests.integration.stage import Stage, behind
from tests.products import ADDRESS, CALLBACK, CLIENT_ID, CLIENT_SECRET, CONSOLE

__all__ = ["pool", "stage"]


def process(stage: Stage, folder: Path) -> House:
    """Return the house as one more process opens it, with its own view of the folder of keys."""
    product = ConnectedProduct(
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET, issuer=CONSOLE, address=ADDRESS, callback=CALLBACK,
        keys=FileTokenKeys.opened(folder), fingerprints=TestFingerprints(),
    )  # fmt: skip
    return behind(stage, product=product)


def test_two_rotations_at_once_are_two_keys_and_two_entries(
    stage: Stage, pool: ThreadPoolExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "keys"
    houses = [process(stage, folder) for _ in range(2)]
    meeting, retire = Meeting(2, patience_s=0.5), token_keys._retire

    def late(private: Path) -> None:
        meeting.arrive()
        retire(private)

    monkeypatch.setattr(token_keys, "_retire", late)
    made = at_once(
        pool,
        *[
            lambda house=house: rotate_product_key(house, operator(house, account="robin", command="test"))
            for house in houses
        ],
    )
    assert len({*made}) == 2, made
    assert stage.entries("product.key_rotated") == 2
    assert sorted(each.name for each in folder.iterdir()) == ["0001.pub", "0002.pub", "0003.pem"]
