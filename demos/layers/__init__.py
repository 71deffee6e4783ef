"""What a model's tensors are at each step of QLoRA's preparation."""
