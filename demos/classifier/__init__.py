"""Five ways to sort requests into classes, trained for real and recorded: who wins, and what a threshold changes."""
