"""Chat templates: what a list of messages becomes before a model sees it, and what a wrong template costs."""
