"""AdamW as its paper has it (arXiv 1711.05101, algorithm 2), in float64."""

import json
import sys

import numpy as np

o = json.loads(sys.argv[1])
beta1, beta2 = o["beta1"], o["beta2"]
x = np.array(o["w"] + o["b"])
decays = np.array([1.0] * len(o["w"]) + [0.0] * len(o["b"]))
m = np.zeros_like(x)
v = np.zeros_like(x)
norms = []
for t, (c, rate) in enumerate(zip(o["targets"], o["rates"]), 1):
    g = 2 * (x - c)
    norms.append(float(np.linalg.norm(g)))
    if "clip" in o:
        g = g * min(1.0, o["clip"] / norms[-1])
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    fixed = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + o["epsilon"])
    x = x - rate * (fixed + o["weightDecay"] * decays * x)
n = len(o["w"])
print(json.dumps({"w": x[:n].tolist(), "b": x[n:].tolist(), "norms": norms}))
