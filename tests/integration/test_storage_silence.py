"""What a broken statement would have written stays out of the fault that it raises, and out of every log line."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from console.storage.engines import Part, open_database
from tests.conftest import NewDatabase
from tests.databases import ENGINES


@pytest.mark.parametrize("engine", ENGINES)
def test_no_fault_repeats_what_was_to_be_written(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if engine == "sqlite":
        url = f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        create: NewDatabase = request.getfixturevalue("pg_database")
        url = create()
    database = open_database(url, part=Part(role=None))
    try:
        with (
            database.engine(writing=True).connect() as connection,
            pytest.raises(SQLAlchemyError, match="nowhere") as broken,
        ):
            connection.execute(text("INSERT INTO nowhere (name) VALUES (:name)"), {"name": "Ada Byron"})
    finally:
        database.close()
    assert "Ada Byron" not in str(broken.value)
