import peft
import torch


def train(model, x, y):
    tuned = peft.get_peft_model(model, peft.LoraConfig(r=2, lora_alpha=8, target_modules=["0"]))
    optimizer = torch.optim.Adam([p for p in tuned.parameters() if p.requires_grad], lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(tuned(x), y).backward()
        optimizer.step()
    tuned.save_pretrained("answer/adapter")
