"""The documented way to keep a hard limit: however many ask at once, use never passes it."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

from tests.conftest import NewDatabase
from tests.databases import postgres_url

PAGE = Path(__file__).parents[2] / "docs" / "entitlements.md"
ASKING, EACH, HARD = 8, 40, 100


def statement() -> str:
    """Return the statement of the page, with PostgreSQL's own places."""
    (found,) = re.findall(r"```sql\n(UPDATE plane_usage.*?)```", PAGE.read_text(), re.DOTALL)
    return re.sub(r":(\w+)", r"%(\1)s", found)


def test_use_never_passes_a_hard_limit_however_many_ask_at_once(pg_database: NewDatabase) -> None:
    url = postgres_url(pg_database).replace("+psycopg", "")
    asked = {"tenant": "ten_acme", "feature": "seats", "period": 0, "more": 1, "hard": HARD}
    start = threading.Barrier(ASKING, timeout=20)

    def use(_number: int) -> int:
        with psycopg.connect(url, autocommit=True) as connection:
            start.wait()
            return sum(connection.execute(statement().encode(), asked).rowcount for _ in range(EACH))

    with psycopg.connect(url, autocommit=True) as owner:
        columns = "tenant_id, feature_key, starts_at, used, as_of"
        owner.execute(f"INSERT INTO plane_usage ({columns}) VALUES ('ten_acme', 'seats', 0, 0, 0)".encode())
        with ThreadPoolExecutor(ASKING) as pool:
            granted = sum(pool.map(use, range(ASKING)))
        (used,) = owner.execute("SELECT used FROM plane_usage").fetchone() or (0,)
    assert granted == used == HARD < ASKING * EACH
