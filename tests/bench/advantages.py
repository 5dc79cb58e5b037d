"""GRPO and GiGPO over trials, as numpy users write them: FILE ESTIMATOR > rows."""

import json
import sys

import numpy as np

GAMMA = 0.95


def returns_of(rewards):
    out = np.empty(len(rewards))
    g = 0.0
    for t in range(len(rewards) - 1, -1, -1):
        g = rewards[t] + GAMMA * g
        out[t] = g
    return out


def grpo(group):
    means = [np.mean([sum(e["rewards"]) for e in row["episodes"]]) for row in group]
    mean, std = np.mean(means), np.std(means, ddof=1)
    for row in group:
        for e in row["episodes"]:
            score = sum(e["rewards"])
            e["returns"] = returns_of(e["rewards"]).round(9).tolist()
            value = round((score - mean) / (std + 1e-6), 9)
            e["advantages"] = [value] * len(e["rewards"])


def gigpo(group):
    episodes = [e for row in group for e in row["episodes"]]
    lengths = np.array([len(e["rewards"]) for e in episodes])
    scores = np.array([sum(e["rewards"]) for e in episodes])
    at = np.cumsum([len(row["episodes"]) for row in group])[:-1]
    mean = np.mean([np.mean(part) for part in np.split(scores, at)])
    returns = np.concatenate([returns_of(e["rewards"]) for e in episodes])
    anchors = np.concatenate([e["observations"][:-1] for e in episodes])
    _, inverse = np.unique(anchors, return_inverse=True)
    count = np.bincount(inverse)
    means = np.bincount(inverse, returns) / count
    step = np.where(count[inverse] > 1, returns - means[inverse], 0.0)
    advantages = (np.repeat(scores - mean, lengths) + step).round(9)
    ends = np.cumsum(lengths)[:-1]
    for e, a, g in zip(episodes, np.split(advantages, ends), np.split(returns, ends)):
        e["returns"] = g.round(9).tolist()
        e["advantages"] = a.tolist()


def main():
    estimate = {"grpo": grpo, "gigpo": gigpo}[sys.argv[2]]
    group, task = [], None
    out = sys.stdout

    def flush():
        if not group:
            return
        estimate(group)
        for row in group:
            out.write(json.dumps(row, separators=(",", ":")) + "\n")
        group.clear()

    with open(sys.argv[1]) as lines:
        for line in lines:
            row = json.loads(line)
            if row["task"]["id"] != task:
                flush()
                task = row["task"]["id"]
            group.append(row)
    flush()


main()
