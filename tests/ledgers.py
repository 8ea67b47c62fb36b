"""Where houses of tests put sealed files: nowhere until something is sealed, then a folder of this process."""

import os
import tempfile
from pathlib import Path

from console.adapters.ledger_folder import LedgerFolder

SHELF = LedgerFolder(Path(tempfile.gettempdir()) / f"sallyport-ledgers-{os.getpid()}")
