"""How a model answers: which token comes next, what dressing it in an adapter changes, and how long it takes."""
