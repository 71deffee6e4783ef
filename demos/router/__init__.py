"""Which of several adapters a request belongs to: confidence, mistakes, and when to leave it to the base."""
