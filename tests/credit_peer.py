"""Statistics, and advantages over time, as numpy works them out."""

import json
import sys

import numpy as np


def moments(lists):
    return [f(x) for x in lists for f in (np.mean, lambda x: np.std(x, ddof=1))]


def quantiles(given):
    lists, levels = given
    return [np.quantile(x, q) for x in lists for q in levels]


def gae(trials):
    """By matrices: A = (I - gamma lambda S)^-1 delta, S the shift to the next step."""
    found = []
    for trial in trials:
        rewards, values = np.array(trial["rewards"]), np.array(trial["values"])
        shift = np.eye(len(rewards), k=1)
        behind = values[1:].copy()
        behind[-1] *= not trial["terminated"]
        delta = rewards + trial["gamma"] * behind - values[:-1]
        carried = np.eye(len(rewards)) - trial["gamma"] * trial["lambda"] * shift
        found += np.linalg.solve(carried, delta).tolist()
    return found


def vtrace(trials):
    """Equation 1 of Espeholt and others 2018, term by term."""
    found = []
    for trial in trials:
        rewards, values = np.array(trial["rewards"]), np.array(trial["values"])
        ratio = np.exp(np.array(trial["target"]) - np.array(trial["behaviour"]))
        rho = np.minimum(trial["rho"], ratio)
        c = trial["lambda"] * np.minimum(trial["c"], ratio)
        behind = values[1:].copy()
        behind[-1] *= not trial["terminated"]
        delta = rho * (rewards + trial["gamma"] * behind - values[:-1])
        for s in range(len(rewards)):
            trace = np.concatenate([[1.0], np.cumprod(c[s:-1])])
            power = trial["gamma"] ** np.arange(len(rewards) - s)
            found.append(values[s] + np.sum(power * trace * delta[s:]))
    return found


print(json.dumps([float(x) for x in globals()[sys.argv[1]](json.loads(sys.argv[2]))]))
