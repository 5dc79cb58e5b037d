"""The transformer of `kernels/onnx`, written anew in PyTorch: INPUTS.json, with
`config`, `weights`, `shapes`, `inputs` and `objective` (imitation, pg or dqn, with
what it wants in `share`), to the loss and all its gradients."""

import json
import math
import sys

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)


def rotate(x, places, depth):
    half = depth // 2
    turn = 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = places[:, None].double() * turn[None, :]
    cos, sin = angle.cos(), angle.sin()
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Model:
    def __init__(self, config, weights):
        self.c = config
        self.w = weights

    def norm(self, x, name):
        gain, bias = self.w[name + ".gain"], self.w[name + ".bias"]
        return F.layer_norm(x, x.shape[-1:], gain, bias, 1e-5)

    def embed(self, i):
        w, c = self.w, self.c
        if isinstance(c["observations"], dict):
            seen = i["observation"] @ w["embed.observation"]
        else:
            seen = w["embed.observation"][i["observation"]]
        done = w["embed.action"][i["previousAction"]]
        paid = w["embed.reward"][i["previousAction"]]
        paid = paid * i["previousReward"][..., None]
        paid = paid + w["embed.end"][i["previousEnd"]] + w["embed.bias"]
        if c.get("tags"):
            seen = seen + w["embed.tag"][i["tag"]]
        if c["tokens"] == "step":
            return seen + done + paid
        batch, steps, width = seen.shape
        tokens = torch.stack([done, paid, seen], 2)
        return tokens.reshape(batch, 3 * steps, width)

    def attend(self, x, name):
        c = self.c
        batch, tokens, width = x.shape
        depth = width // c["heads"]
        parts = (x @ self.w[name + ".in"]).chunk(3, -1)
        shape = (batch, tokens, c["heads"], depth)
        q, k, v = (p.reshape(shape).transpose(1, 2) for p in parts)
        places = torch.arange(tokens)
        if c["positions"] == "rotary":
            q, k = rotate(q, places, depth), rotate(k, places, depth)
        scores = q @ k.transpose(-1, -2) / math.sqrt(depth)
        future = places[None, :] > places[:, None]
        scores = scores.masked_fill(future, float("-inf"))
        y = scores.softmax(-1) @ v
        y = y.transpose(1, 2).reshape(batch, tokens, width)
        return y @ self.w[name + ".out"]

    def known(self, i):
        c = self.c
        x = self.embed(i)
        if c["positions"] == "learned":
            x = x + self.w["embed.position"]
        for layer in range(c["layers"]):
            name = "block.%d" % layer
            a = name + ".attention"
            x = x + self.attend(self.norm(x, a + ".norm"), a)
            h = self.norm(x, name + ".mlp.norm") @ self.w[name + ".mlp.in"]
            x = x + F.gelu(h) @ self.w[name + ".mlp.out"]
        if c["tokens"] == "three":
            x = x[:, 2::3]
        return self.norm(x, "norm")

    def head(self, x, name):
        return x @ self.w[name + ".out"] + self.w[name + ".bias"]

    def world(self, x, i, name):
        x = x + self.w["world.action"][i["action"]]
        return self.head(F.gelu(x @ self.w[name + ".in"]), name)


def mean(x, weight):
    return (x * weight).sum() / weight.sum()


def labelled(logits, labels, weight):
    losses = F.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=-1, reduction="none"
    )
    return mean(losses, (weight * (labels >= 0)).flatten())


def clipped(model, i, o):
    """PPO's clipped loss with a second clip, entropy, k3, value: means of steps."""
    known = model.known(i)
    mask = i["mask"]
    logs = model.head(known, "action").log_softmax(-1)
    new = logs.gather(-1, i["action"][..., None])[..., 0]
    change = (new - i["oldLogProbability"]) * mask
    ratio, a = change.exp(), i["advantage"]
    bound = ratio.clamp(1 - o["low"], 1 + o["high"])
    loss = torch.maximum(-a * ratio, -a * bound)
    loss = torch.where(a < 0, torch.minimum(loss, -a * o["dual"]), loss)
    entropy = -(logs.exp() * logs).sum(-1)
    k3 = ratio - 1 - change
    value = (model.head(known, "value")[..., 0] - i["target"]) ** 2
    total = loss - o["entropy"] * entropy + o["kl"] * k3 + o["value"] * value
    return mean(total, mask)


def double_q(model, slow, i, o):
    """Double DQN along windows, errors over the size of each window's targets."""
    mask = i["mask"]
    q = model.head(model.known(i), "q")
    with torch.no_grad():
        late = slow.head(slow.known(i), "q")
        worth = late.gather(-1, q.argmax(-1, keepdim=True))[..., 0]
        following = F.pad(worth[:, 1:], (0, 1))
        y = o["rewardScale"] * i["reward"] + i["discount"] * following
        own = (y * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
        unit = own.abs().clamp(min=o["least"])
    taken = q.gather(-1, i["action"][..., None])[..., 0]
    return mean(((taken - y) / unit) ** 2, mask)


def loss_of(model, i, share):
    known = model.known(i)
    weight = i["weight"]
    following = model.world(known, i, "nextObservation")
    if isinstance(model.c["observations"], dict):
        error = ((following - i["nextObservation"]) ** 2).mean(-1)
        following = mean(error, weight)
    else:
        following = labelled(following, i["nextObservation"], weight)
    reward = model.world(known, i, "reward")[..., 0]
    value = model.head(known, "value")[..., 0]
    terms = {
        "action": labelled(model.head(known, "action"), i["label"], weight),
        "nextObservation": following,
        "reward": mean((reward - i["reward"]) ** 2, weight),
        "value": mean((value - i["target"]) ** 2, weight),
    }
    return sum(share[name] * term for name, term in terms.items())


FLOATS = {
    "previousReward",
    "weight",
    "reward",
    "target",
    "mask",
    "advantage",
    "oldLogProbability",
    "discount",
}


def tensor(values, shape):
    whole = all(isinstance(x, int) for x in values)
    kind = torch.int64 if whole else torch.float64
    return torch.tensor(values, dtype=kind).reshape(shape)


def main():
    with open(sys.argv[1]) as file:
        given = json.load(file)
    shapes = given["shapes"]
    inputs = {
        name: tensor(values, shapes[name])
        for name, values in given["inputs"].items()
    }
    for name in FLOATS & inputs.keys():
        inputs[name] = inputs[name].double()
    weights = {
        name: torch.tensor(values, dtype=torch.float64)
        .reshape(shapes[name])
        .requires_grad_()
        for name, values in given["weights"].items()
    }
    late = {
        name[len("delayed.") :]: w.detach()
        for name, w in weights.items()
        if name.startswith("delayed.")
    }
    model = Model(given["config"], weights)
    objective, share = given["objective"], given["share"]
    if objective == "pg":
        loss = clipped(model, inputs, share)
    elif objective == "dqn":
        loss = double_q(model, Model(given["config"], late), inputs, share)
    else:
        loss = loss_of(model, inputs, share)
    loss.backward()
    slopes = {
        name: [] if w.grad is None else w.grad.flatten().tolist()
        for name, w in weights.items()
    }
    print(json.dumps({"loss": loss.item(), "gradients": slopes}))


main()
