"""LoRA: counting its parameters, the layer itself, its first step, its merge, the spectrum of an update."""
