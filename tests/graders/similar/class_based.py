from dataclasses import dataclass


@dataclass
class Layer:
    inputs: int
    outputs: int

    def lora(self, r):
        a = r * self.inputs
        b = self.outputs * r
        return a + b


class Block:
    def __init__(self, config):
        self.config = config
        self.head = config.get("head_dim", None) or config["hidden_size"] // config["num_attention_heads"]

    def attention(self):
        return self.config["num_attention_heads"] * self.head

    def groups(self):
        return self.config.get("num_key_value_heads", self.config["num_attention_heads"]) * self.head

    def layer(self, name):
        hidden = self.config["hidden_size"]
        if name.startswith("gate_up"):
            return Layer(hidden, self.config["intermediate_size"] * 2)
        if name.startswith("qkv"):
            return Layer(hidden, self.attention() + self.groups() + self.groups())
        if name in ("gate_proj", "up_proj"):
            return Layer(hidden, self.config["intermediate_size"])
        if name == "down_proj":
            return Layer(self.config["intermediate_size"], hidden)
        if name == "q_proj":
            return Layer(hidden, self.attention())
        if name == "o_proj":
            return Layer(self.attention(), hidden)
        return Layer(hidden, self.groups())


def lora_params(config, rank, targets):
    unknown = [t for t in targets if t not in config["linear_layers"]]
    if unknown:
        raise ValueError("неизвестные слои: " + str(unknown))
    block = Block(config)
    return config["num_hidden_layers"] * sum(block.layer(t).lora(rank) for t in dict.fromkeys(targets))
