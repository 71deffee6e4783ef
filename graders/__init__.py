"""The grader: the exercise format, the wire between its halves, the judge (host) and the sandboxed half (inside)."""
