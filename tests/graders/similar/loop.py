def lora_params(config: dict, rank: int, targets: list[str]) -> int:
    """Считаю в цикле: для каждого слоя своя пара размеров."""
    names = config["linear_layers"]
    for target in targets:
        if target not in names:
            raise ValueError(f"нет слоя {target}")
    d = config["hidden_size"]
    ff = config["intermediate_size"]
    n_heads = config["num_attention_heads"]
    n_kv = config["num_key_value_heads"] if "num_key_value_heads" in config else n_heads
    head_dim = config.get("head_dim")
    if head_dim is None:
        head_dim = d // n_heads
    total = 0
    seen = []
    for target in targets:
        if target in seen:
            continue
        seen.append(target)
        if target == "q_proj":
            n_in, n_out = d, n_heads * head_dim
        elif target in ("k_proj", "v_proj"):
            n_in, n_out = d, n_kv * head_dim
        elif target == "o_proj":
            n_in, n_out = n_heads * head_dim, d
        elif target in ("gate_proj", "up_proj"):
            n_in, n_out = d, ff
        elif target == "down_proj":
            n_in, n_out = ff, d
        elif target == "qkv_proj":
            n_in, n_out = d, (n_heads + 2 * n_kv) * head_dim
        elif target == "gate_up_proj":
            n_in, n_out = d, 2 * ff
        total += n_in * rank + rank * n_out
    return total * config["num_hidden_layers"]
