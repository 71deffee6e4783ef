"""How examples of different lengths become rows of one length, and which of their tokens are learned from."""
