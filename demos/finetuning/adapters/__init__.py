"""Adapters after training: their files, several on one base, merging, export. Leaves out training itself (``run``)."""
