"""Returns by numpy, from weights: G = W r, where W[i, j] says what reward j is
worth at step i. Reads trials on the command line's file, one line each; prints
the largest difference from the returns that are in them."""

import json
import sys

import numpy as np

path, gamma, gamma_trial, cross = sys.argv[1], *map(float, sys.argv[2:4]), sys.argv[4]


def weights(lengths):
    episode = np.repeat(np.arange(len(lengths)), lengths)
    t = np.concatenate([np.arange(n) for n in lengths])
    left = np.repeat(lengths, lengths) - 1 - t
    here = np.where(
        (episode[:, None] == episode) & (t >= t[:, None]),
        gamma ** np.maximum(t - t[:, None], 0), 0)
    later = episode > episode[:, None]
    apart = episode - episode[:, None]
    if cross == "paper":
        return here + later * gamma_trial ** np.maximum(apart, 0) * gamma ** t
    # lamer: steps left here, all steps but one of each episode between, then t
    ends = np.cumsum(np.maximum(np.array(lengths) - 1, 0))
    between = ends[episode - 1] - ends[episode][:, None]
    return here + later * gamma_trial ** np.maximum(apart, 0) * gamma ** (
        np.maximum(left[:, None] + between + t, 0))


worst = 0.0
for line in open(path):
    episodes = json.loads(line)["episodes"]
    lengths = [len(e["rewards"]) for e in episodes]
    rewards = np.concatenate([e["rewards"] for e in episodes]).astype(float)
    returns = np.concatenate([e["returns"] for e in episodes])
    worst = max(worst, np.abs(weights(lengths) @ rewards - returns).max())
print(worst)
