"""Prints, as JSON, the transitions of Gymnasium's FrozenLake-v1: for each map
and kind of ice the lists [probability, next, reward, terminated], by state and
action."""

import json

import gymnasium


def transitions(name, slippery):
    env = gymnasium.make("FrozenLake-v1", map_name=name, is_slippery=slippery)
    table = env.unwrapped.P
    return [
        [
            [[float(p), int(s), float(r), bool(t)] for p, s, r, t in table[state][action]]
            for action in range(4)
        ]
        for state in range(len(table))
    ]


cases = [(name, slippery) for name in ("4x4", "8x8") for slippery in (True, False)]
print(
    json.dumps(
        {
            f"{name} {'slippery' if slippery else 'firm'}": transitions(name, slippery)
            for name, slippery in cases
        }
    )
)
