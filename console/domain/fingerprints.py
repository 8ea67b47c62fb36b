"""Which failures have one cause: errors without their ids, numbers and addresses, shortened to a fingerprint."""

import hashlib
import re

_LENGTH = 16
_LONGEST = 400
_MARKS = (
    (re.compile(r"\b[a-z]{2,6}_[0-9a-z]{20,}\b"), "<id>"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\bhttps?://[^\s'\"]+"), "<url>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b"), "<hex>"),
    (re.compile(r"'[^']*'|\"[^\"]*\""), "<text>"),
    (re.compile(r"\d+"), "<n>"),
    (re.compile(r"\s+"), " "),
)


def normalised(error: str) -> str:
    """Return an error's words without what differs from case to case."""
    text = error.lower()[:_LONGEST]
    for pattern, mark in _MARKS:
        text = pattern.sub(mark, text)
    return text.strip()


def fingerprint_of(kind: str, error: str) -> str:
    """Return the same 16 characters for failures of one kind and one cause."""
    return hashlib.sha256(f"{kind}\n{normalised(error)}".encode()).hexdigest()[:_LENGTH]
