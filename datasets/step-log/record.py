"""Records runs of SARSA on Gymnasium's CliffWalking as one CSV line a step.

It stands for logs that people already have: another program, another language,
columns of its own. `steps.csv` beside it was written by

    python record.py > steps.csv
"""

import csv
import sys

import gymnasium
import numpy as np

RUNS, EPISODES, CAP = 3, 40, 60
ALPHA, EPSILON = 0.5, 0.1


def choose(rng, values):
    if rng.random() < EPSILON:
        return int(rng.integers(len(values)))
    best = np.flatnonzero(values == values.max())
    return int(rng.choice(best))


def main():
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(
        ["run", "episode", "step", "obs", "act", "r", "next_obs", "done", "cut"]
    )
    for run in range(RUNS):
        rng = np.random.default_rng(run)
        env = gymnasium.make("CliffWalking-v1", max_episode_steps=CAP)
        table = np.zeros((env.observation_space.n, env.action_space.n))
        for episode in range(EPISODES):
            obs, _ = env.reset(seed=1000 * run + episode)
            action = choose(rng, table[obs])
            ended = cut = False
            step = 0
            while not (ended or cut):
                after, reward, ended, cut, _ = env.step(action)
                follow = choose(rng, table[after])
                target = reward + (0 if ended else table[after][follow])
                table[obs][action] += ALPHA * (target - table[obs][action])
                out.writerow(
                    [run, episode, step, obs, action, int(reward), after,
                     int(ended), int(cut)]
                )
                obs, action, step = after, follow, step + 1


main()
