"""Token buckets: how much may be sent now without going beyond a rate."""

from datetime import datetime

from console.domain.webhooks import Bucket

BURST_SECONDS = 2
_MILLI = 1_000


def tokens_now(bucket: Bucket | None, *, rate_per_s: int, now: datetime) -> int:
    """Return what a bucket holds now; one that nobody has used is full. Units: thousandths of a token."""
    most = rate_per_s * BURST_SECONDS * _MILLI
    if bucket is None:
        return most
    passed_us = (now - bucket.at).total_seconds() * 1_000_000
    return min(most, max(0, bucket.tokens) + max(0, int(passed_us * rate_per_s / _MILLI)))


def taken(bucket: Bucket | None, *, rate_per_s: int, wanted: int, now: datetime) -> tuple[Bucket, int]:
    """Return the bucket after taking as many whole tokens as there are, up to `wanted`, and how many those were."""
    tokens = tokens_now(bucket, rate_per_s=rate_per_s, now=now)
    granted = min(max(0, wanted), tokens // _MILLI)
    at = now if bucket is None else max(now, bucket.at)
    return Bucket(tokens=tokens - granted * _MILLI, at=at), granted
