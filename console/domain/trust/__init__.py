"""What a customer may see, decide and be told of staff's accesses: pure values and rules, no clock, no I/O."""
