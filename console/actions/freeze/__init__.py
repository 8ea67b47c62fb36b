"""Actions of the kill switch: freeze, lift, rehearse. No other action may live here."""
