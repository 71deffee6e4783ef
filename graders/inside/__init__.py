"""The untrusted half: a zygote behind walls, forked per grading to run one submission. It decides nothing.

Started as a process, imported by nobody; of our code it knows ``graders.wire`` and ``graders.forking`` only.
"""
