"""Посчитан сам вес слоя, а он заморожен: учатся только A и B

Произведение вместо суммы: столько параметров в W.
"""


def lora_params(config: dict, rank: int, targets: list[str]) -> int:
    """Число обучаемых параметров LoRA ранга rank на слоях targets во всех блоках модели.

    config — числа из config.json модели и linear_layers — имена линейных слоёв одного блока.
    Raises ValueError, если какого-то имени из targets в linear_layers нет; имя названо в тексте ошибки.
    """
    missing = sorted(set(targets) - set(config["linear_layers"]))
    if missing:
        raise ValueError(f"В модели нет слоёв: {', '.join(missing)}")
    shapes = layer_shapes(config)
    one_block = sum(inputs * outputs for inputs, outputs in (shapes[name] for name in set(targets)))
    return config["num_hidden_layers"] * one_block


def layer_shapes(config: dict) -> dict[str, tuple[int, int]]:
    """(вход, выход) каждого слоя, какой только бывает в блоке."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    heads = config["num_attention_heads"]
    head = config.get("head_dim") or hidden // heads
    queries = heads * head  # ширина всех запросов
    keys = config.get("num_key_value_heads", heads) * head  # ширина всех ключей; столько же у значений
    return {
        "q_proj": (hidden, queries),
        "k_proj": (hidden, keys),
        "v_proj": (hidden, keys),
        "o_proj": (queries, hidden),
        "qkv_proj": (hidden, queries + 2 * keys),
        "gate_proj": (hidden, inner),
        "up_proj": (hidden, inner),
        "gate_up_proj": (hidden, 2 * inner),
        "down_proj": (inner, hidden),
    }
