"""Fine-tuning that really happens: the base model's language, data, runs, what they changed, adapters.

Nothing here imports torch when it is imported: ``spec`` and ``events`` are read by pages, the rest imports it inside
functions.
"""
