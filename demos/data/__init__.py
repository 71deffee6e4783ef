"""Training data before training: forms of records, what is wrong with them, what their balance does."""
