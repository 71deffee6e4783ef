"""The commands behind ./course."""
