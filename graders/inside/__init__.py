"""The untrusted half: runs the submission and answers calls; decides nothing. Started as a process, imported by nobody."""
