"""Values, rules and state machines; stdlib only, no clock, no input or output, no framework."""
