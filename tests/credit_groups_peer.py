"""GRPO and GiGPO of credited rows, as numpy works them out: FILE CHOICES > advantages.

A list for each row of its steps' advantages, with the group's entries in arrays.
"""

import json
import sys

import numpy as np

EPSILON = 1e-6


def returns_of(episodes, gamma, gamma_trial):
    """LaMer's pass over a trial: by a matrix of the discounts from step to step."""
    lengths = [len(e["rewards"]) for e in episodes]
    rewards = np.concatenate([e["rewards"] for e in episodes])
    links = np.full(len(rewards), gamma)
    links[np.cumsum(lengths) - 1] = gamma_trial
    to_next = np.diag(links[:-1], k=1)
    return np.linalg.solve(np.eye(len(rewards)) - to_next, rewards)


def entries_of(group, pool):
    scores = [[np.sum(e["rewards"]) for e in row["episodes"]] for row in group]
    if pool == "trials":
        return np.array([np.mean(own) for own in scores])
    if pool == "episodes":
        return np.concatenate(scores)
    lengths = [[len(e["rewards"]) for e in row["episodes"]] for row in group]
    return np.repeat(np.concatenate(scores), np.concatenate(lengths))


def advantages_of(group, advantage, pool, norm, gamma, gamma_trial):
    entries = entries_of(group, pool)
    episodes = [e for row in group for e in row["episodes"]]
    lengths = [len(e["rewards"]) for e in episodes]
    scores = np.repeat([np.sum(e["rewards"]) for e in episodes], lengths)
    scale = np.std(entries, ddof=1) + EPSILON if norm == "mean-std" else 1.0
    found = (scores - np.mean(entries)) / scale
    if advantage == "gigpo":
        own = [returns_of(row["episodes"], gamma, gamma_trial) for row in group]
        returns = np.concatenate(own)
        seen = np.concatenate([e["observations"][:-1] for e in episodes])
        for at in np.unique(seen):
            here = seen == at
            if np.sum(here) == 1:
                continue
            term = returns[here] - np.mean(returns[here])
            if norm == "mean-std":
                term = term / (np.std(returns[here], ddof=1) + EPSILON)
            found[here] += term
    rows = [sum(len(e["rewards"]) for e in row["episodes"]) for row in group]
    return [part.tolist() for part in np.split(found, np.cumsum(rows)[:-1])]


groups = {}
with open(sys.argv[1]) as lines:
    for line in lines:
        row = json.loads(line)
        groups.setdefault(row["task"]["id"], []).append(row)
choices = json.loads(sys.argv[2])
print(json.dumps([a for g in groups.values() for a in advantages_of(g, **choices)]))
