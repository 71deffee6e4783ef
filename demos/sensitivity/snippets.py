"""Code of torch that repeats the demo of one layer. Leaves out how the held-out examples are drawn."""

from __future__ import annotations

from demos.sensitivity.layer import ALL, Params

CODE = """import torch
import torch.nn.functional as F

from demos.sensitivity import expansion  # примеры и модель курса в float64
from demos.sensitivity.kinds import rounded

model, data = expansion.model(), expansion.batches()
weights = expansion.weights(model)
chosen = {chosen}
W = [weights[name].requires_grad_() for name in chosen]
eps = [rounded(w.detach(), "{kind}", {block}) - w.detach() for w in W]  # ε = Q(W) − W


def loss(batch):  # сумма по токенам ответов
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        logits = model(input_ids=batch.ids, use_cache=False).logits[:, :-1]
    return F.cross_entropy(logits.flatten(0, 1), batch.labels[:, 1:].flatten(), reduction="sum")  # −100 не считается


first = second = before = 0.0
for batch in data:
    value = loss(batch)
    gradient = torch.autograd.grad(value, W, create_graph=True)
    slope = sum((g * e).sum() for g, e in zip(gradient, eps))  # ⟨∇L, ε⟩
    product = torch.autograd.grad(slope, W)  # Hε вторым обратным проходом
    before, first = before + value.item(), first + slope.item()
    second += 0.5 * sum((h * e).sum() for h, e in zip(product, eps)).item()

with torch.no_grad():
    for w, e in zip(W, eps):
        w += e
    after = sum(loss(batch).item() for batch in data)
    for w, e in zip(W, eps):
        w -= e
for w in W:
    w.requires_grad_(False)
tokens = expansion.tokens(data)
change, first, second = (after - before) / tokens, first / tokens, second / tokens
print(change, first, first + second)"""


def layer(params: Params) -> str:
    """Measured and estimated change of the loss, written out."""
    chosen = "list(weights)" if params.layer == ALL else f'["{params.layer}"]'
    return CODE.replace("{chosen}", chosen).replace("{kind}", params.kind).replace("{block}", str(params.block))
