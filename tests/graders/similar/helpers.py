def check(config, targets):
    for t in targets:
        assert isinstance(t, str)
    bad = set(targets).difference(config["linear_layers"])
    if len(bad) > 0:
        raise ValueError("Нет таких слоёв: " + ", ".join(sorted(bad)))


def widths(config):
    per_head = config.get("head_dim")
    per_head = per_head if per_head else int(config["hidden_size"] / config["num_attention_heads"])
    kv_heads = config.get("num_key_value_heads") or config["num_attention_heads"]
    return config["num_attention_heads"] * per_head, kv_heads * per_head


def one(config, name, r):
    q, kv = widths(config)
    inp = {"o_proj": q, "down_proj": config["intermediate_size"]}.get(name, config["hidden_size"])
    out = {
        "q_proj": q,
        "k_proj": kv,
        "v_proj": kv,
        "qkv_proj": q + kv + kv,
        "gate_proj": config["intermediate_size"],
        "up_proj": config["intermediate_size"],
        "gate_up_proj": 2 * config["intermediate_size"],
    }.get(name, config["hidden_size"])
    return r * inp + out * r


def lora_params(config, rank, targets):
    check(config, targets)
    params = [one(config, name, rank) for name in sorted(set(targets))]
    return config["num_hidden_layers"] * sum(params)
