"""Quantization that can be touched: numbers to codes and back, what it costs and what it keeps.

``weights`` says which numbers, ``schemes`` what becomes of them, ``errors`` how far they moved; the demos are
``histogram``, ``compare``, ``levels``, ``blocks`` and ``outliers``. Leaves out what the error does to a model.
"""
