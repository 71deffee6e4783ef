"""The untrusted half: runs the submission, answers calls, decides nothing. A process, imported by nobody."""
