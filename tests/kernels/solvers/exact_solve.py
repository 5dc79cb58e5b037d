"""Best and uniform values of finite MDPs, by numpy's dense linear solve.

Reads a JSON array of {transition[s][a][j], reward[s][a], discounts}, writes for
each, for each discount, {optimal[s], uniform[s]}.
"""
import json
import sys

import numpy as np


def values(p, r, gamma):
    return np.linalg.solve(np.eye(len(r)) - gamma * p, r)


def optimal(p, r, gamma):
    rows = np.arange(len(r))
    policy = np.zeros(len(r), dtype=int)
    for _ in range(1000):
        v = values(p[rows, policy], r[rows, policy], gamma)
        q = r + gamma * p @ v
        gain = q.max(axis=1) > q[rows, policy] + 1e-12
        if not gain.any():
            return v
        policy = np.where(gain, q.argmax(axis=1), policy)
    raise RuntimeError("no end of improvement")


def solve(mdp):
    p, r = np.array(mdp["transition"]), np.array(mdp["reward"])
    return [
        {
            "optimal": optimal(p, r, gamma).tolist(),
            "uniform": values(p.mean(axis=1), r.mean(axis=1), gamma).tolist(),
        }
        for gamma in mdp["discounts"]
    ]


json.dump([solve(mdp) for mdp in json.load(sys.stdin)], sys.stdout)
