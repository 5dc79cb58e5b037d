"""The transformer of `kernels/onnx` with PyTorch's own parts: CONFIG as JSON; a
step of training for each line read."""

import json
import sys

import torch
from torch import nn
from torch.nn import functional as F

c = json.loads(sys.argv[1])
torch.set_num_threads(c["threads"])
batch, steps, width, heads = c["batch"], c["context"], c["width"], c["heads"]
depth = width // heads
tokens = steps * (3 if c["tokens"] == "three" else 1)
half = depth // 2
turns = 10000.0 ** (-torch.arange(half) / half)
angles = torch.arange(tokens)[:, None] * turns[None]
COS, SIN = angles.cos(), angles.sin()
FUTURE = torch.full((tokens, tokens), float("-inf")).triu(1)
# Before 2.0 there was neither its own attention nor a fused AdamW.
FUSED = {"fused": True} if torch.__version__ >= "2" else {"foreach": True}


def rotate(x):
    a, b = x.chunk(2, -1)
    return torch.cat([a * COS - b * SIN, b * COS + a * SIN], -1)


def attend(q, k, v):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    scores = q @ k.transpose(-1, -2) / depth**0.5 + FUTURE
    return scores.softmax(-1) @ v


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, x):
        qkv = self.qkv(self.norms[0](x)).view(batch, tokens, 3, heads, depth)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        y = attend(rotate(q), rotate(k), v)
        x = x + self.out(y.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.down(F.gelu(self.up(self.norms[1](x))))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.seen = nn.Embedding(c["observations"] + 1, width)
        self.done = nn.Embedding(c["actions"] + 1, width)
        self.paid = nn.Linear(1, width)
        self.blocks = nn.Sequential(*(Block() for _ in range(c["layers"])))
        self.norm = nn.LayerNorm(width)
        self.action = nn.Linear(width, c["actions"])

    def forward(self, seen, done, paid):
        parts = self.done(done), self.paid(paid[..., None]), self.seen(seen)
        if c["tokens"] == "three":
            x = torch.stack(parts, 2).reshape(batch, tokens, width)
            x = self.blocks(x)[:, 2::3]
        else:
            x = self.blocks(sum(parts))
        return self.action(self.norm(x))


model = Model()
adam = torch.optim.AdamW(model.parameters(), 1e-3, **FUSED)
seen = torch.randint(c["observations"], (batch, steps))
done = torch.randint(c["actions"], (batch, steps))
paid = torch.randn(batch, steps)
label = torch.randint(c["actions"], (batch * steps,))
weight = torch.rand(batch * steps)

for _ in sys.stdin:
    logits = model(seen, done, paid).flatten(0, 1)
    losses = F.cross_entropy(logits, label, reduction="none")
    loss = (losses * weight).sum() / weight.sum()
    adam.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    adam.step()
    print(loss.item(), flush=True)
