"""nanoGPT's model and step on PyTorch, written from its description: `nanogpt.py TASK [compiled]` prints one line of facts.

GPT-2's block without biases: LayerNorm, exact GELU, learned positions, tied head. Runs on PyTorch 1.13 and newer.
"""

import json
import math
import resource
import statistics
import sys
import time

began = time.perf_counter()

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

task = json.loads(sys.argv[1])
compiled = "compiled" in sys.argv[2:]
L, H, C, T, B, V = (task[name] for name in ("layers", "heads", "width", "context", "batch", "vocabSize"))


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(C))

    def forward(self, x):
        return F.layer_norm(x, (C,), self.weight, None, 1e-5)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(C, 3 * C, bias=False)
        self.out = nn.Linear(C, C, bias=False)
        self.register_buffer("hidden", torch.ones(T, T).triu(1).bool(), persistent=False)

    def mix(self, q, k, v):  # [B, H, T, D]
        if hasattr(F, "scaled_dot_product_attention"):
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        scores = (q @ k.transpose(-2, -1)) * (1 / math.sqrt(C // H))
        return scores.masked_fill(self.hidden, -math.inf).softmax(-1) @ v

    def forward(self, x):
        q, k, v = (part.view(B, T, H, C // H).transpose(1, 2) for part in self.qkv(x).split(C, dim=2))
        return self.out(self.mix(q, k, v).transpose(1, 2).reshape(B, T, C))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.attention, self.norm2 = Norm(), Attention(), Norm()
        self.up, self.down = nn.Linear(C, 4 * C, bias=False), nn.Linear(4 * C, C, bias=False)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(V, C), nn.Embedding(T, C)
        self.blocks, self.norm = nn.Sequential(*(Block() for _ in range(L))), Norm()
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                residual = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(parameter, 0, 0.02 / math.sqrt(2 * L) if residual else 0.02)

    def forward(self, inputs, targets):  # [B, T] -> nats per token
        x = self.tokens(inputs) + self.positions(torch.arange(T))
        logits = F.linear(self.norm(self.blocks(x)), self.tokens.weight)
        return F.cross_entropy(logits.view(B * T, V), targets.view(-1))


def batches():
    with open(task["text"], encoding="utf-8") as file:
        text = file.read()
    ids = {character: index for index, character in enumerate(sorted(set(text)))}
    data = torch.from_numpy(np.array([ids[character] for character in text], dtype=np.int64))
    while True:
        starts = torch.randint(int(len(data) * 0.9) - T - 1, (B,))
        yield tuple(torch.stack([data[start + shift : start + shift + T] for start in starts]) for shift in (0, 1))


def rate(step):
    warmup, peak = task["warmup"], task["peakLearningRate"]
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    cosine = 0.5 * (1 + math.cos(math.pi * (step - warmup) / (task["recipeSteps"] - warmup)))
    return peak * (0.1 + 0.9 * cosine)


def optimizer_of(model):
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": task["weightDecay"]}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=task["peakLearningRate"], betas=tuple(task["betas"]))


def train(model):
    """Yields (milliseconds, loss) of each step."""
    optimizer, source = optimizer_of(model), batches()
    forward = torch.compile(model) if compiled else model
    for step in range(task["steps"]):
        start = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        loss = forward(*next(source))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), task["clip"])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        yield 1000 * (time.perf_counter() - start), loss.item()


def main():
    if compiled and not hasattr(torch, "compile"):
        sys.exit(f"torch.compile needs PyTorch 2; this is {torch.__version__}")
    torch.manual_seed(1)
    torch.set_num_threads(task["threads"])
    times, losses, first = [], [], 0
    for milliseconds, loss in train(Model()):
        first = first or 1000 * (time.perf_counter() - began)
        times.append(milliseconds)
        losses.append(loss)
    middle = statistics.median(times[1:])
    facts = {
        "version": torch.__version__,
        "engine": f"python {sys.version.split()[0]}",
        "threads": torch.get_num_threads(),
        "steps": task["steps"],
        "msPerStep": middle,
        "tokensPerSecond": 1000 * B * T / middle,
        "firstStepMs": first,
        "rssBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "lossNats": statistics.mean(losses[-math.ceil(len(losses) / 4) :]),
    }
    print(json.dumps(facts))


main()
