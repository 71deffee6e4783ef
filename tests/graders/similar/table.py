def lora_params(config, rank, targets):
    h = config["hidden_size"]
    m = config["intermediate_size"]
    heads = config["num_attention_heads"]
    size = config.get("head_dim", h // heads)
    q = heads * size
    kv = config.get("num_key_value_heads", heads) * size
    sums = {
        "q_proj": h + q,
        "k_proj": h + kv,
        "v_proj": h + kv,
        "o_proj": q + h,
        "qkv_proj": h + q + 2 * kv,
        "gate_proj": h + m,
        "up_proj": h + m,
        "gate_up_proj": h + 2 * m,
        "down_proj": m + h,
    }
    result = 0
    for name in set(targets):
        if name not in config["linear_layers"]:
            raise ValueError(f"В этой модели нет слоя {name}, есть {config['linear_layers']}")
        result = result + rank * sums[name]
    return result * config["num_hidden_layers"]
