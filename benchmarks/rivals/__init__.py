"""Other graders, run as their users run them, on the same checks and submissions as ours (``benchmarks.grading``).

Both start a Jupyter kernel for each submission and run the checks in it, so none of them needs a sandbox's time; the
checks are the very functions of our check file, called in their form (``benchmarks.local``). Leaves out Docker, which
``otter grade`` would add.
"""
