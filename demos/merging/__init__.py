"""What becomes of an adapter when it is put into the weights: rounding, sums of adapters, switching."""
