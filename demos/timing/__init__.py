"""Where the time of training goes: operators, compilation, transfers, several cards, and which tool helps."""
