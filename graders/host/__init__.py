"""The trusted half: two zygotes, the judge that runs an exercise's checks, the verdict in words."""
