"""How numbers lie in memory, bit by bit, and what rounding does to sums."""
