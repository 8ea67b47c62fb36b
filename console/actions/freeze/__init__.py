"""Actions of the kill switch."""
