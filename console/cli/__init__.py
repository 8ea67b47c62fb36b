"""The sallyport command line: arguments in, one use case, text or JSON out; no SQL and no decision."""
