"""Benchmarks: each work item of the console beside its floor, in the same run on the same data; only ratios count."""
