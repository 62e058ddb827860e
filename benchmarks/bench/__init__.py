"""What the benchmarks share: an HTTP client, load, floors, a cloud of their own, figures beside those of real Nova."""
