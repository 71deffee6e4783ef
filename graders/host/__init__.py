"""The trusted half: starts the sandboxed half, asks it, judges its answers."""
