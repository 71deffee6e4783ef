"""Benchmarks: each module's ``main`` prints a table measured in one run; ``./course bench [NAME]`` finds them."""
