"""OmniRL's records by numpy alone, written from the layout's description.

read DIR: the episodes of each record there, cut at the separators.
write DIR: records as OmniRL's own programs leave them; prints their episodes.
"""

import json
import pathlib
import sys

import numpy as np

job, folder = sys.argv[1], pathlib.Path(sys.argv[2])
TYPES = {
    "observations": np.uint32,
    "prompts": np.uint32,
    "tags": np.uint32,
    "actions_behavior": np.uint32,
    "actions_label": np.uint32,
    "rewards": np.float32,
}


def read(record):
    arrays = {name: np.load(record / f"{name}.npy") for name in TYPES}
    rows = {array.shape for array in arrays.values()}
    assert len(rows) == 1, rows
    for name, array in arrays.items():
        assert array.dtype == TYPES[name] and array.flags.c_contiguous, name
    actions = arrays["actions_behavior"].max()
    episodes, start = [], 0
    for end in np.flatnonzero(arrays["actions_behavior"] == actions):
        assert arrays["actions_label"][end] == actions
        assert arrays["rewards"][end] == 0
        assert arrays["tags"][end] == 7 and arrays["prompts"][end] == 7
        span = slice(start, end)
        episodes.append(
            {
                "observations": arrays["observations"][start : end + 1].tolist(),
                "actions": arrays["actions_behavior"][span].tolist(),
                "labels": arrays["actions_label"][span].tolist(),
                "rewards": arrays["rewards"][span].astype(float).tolist(),
                "tags": arrays["tags"][span].tolist(),
                "prompts": arrays["prompts"][span].tolist(),
            }
        )
        start = end + 1
    assert start == len(arrays["tags"])
    return episodes


def write(record, random, actions, prompt, partial):
    """A record; `partial` leaves the last episode without its separator."""
    columns, episodes = {name: [] for name in TYPES}, []
    for last in [False, False, True]:
        length = int(random.integers(1, 9))
        episode = {
            "observations": random.integers(0, 64, length + 1).tolist(),
            "actions": random.integers(0, actions, length).tolist(),
            "labels": random.integers(0, actions, length).tolist(),
            "rewards": [round(float(x), 3) for x in random.normal(size=length)],
            "tags": random.integers(0, 8, length).tolist(),
        }
        stops = last and partial
        for i in range(length if stops else length + 1):
            ends = i == length
            values = {
                "observations": episode["observations"][i],
                "prompts": 7 if ends else prompt,
                "tags": 7 if ends else episode["tags"][i],
                "actions_behavior": actions if ends else episode["actions"][i],
                "actions_label": actions if ends else episode["labels"][i],
                "rewards": 0.0 if ends else episode["rewards"][i],
            }
            for name, value in values.items():
                columns[name].append(value)
        if stops:
            episode["observations"][-1] = episode["observations"][-2]
        episodes.append(episode)
    record.mkdir(parents=True)
    for name, values in columns.items():
        np.save(record / f"{name}.npy", np.array(values, dtype=TYPES[name]))
    return episodes


if job == "read":
    found = [read(record) for record in sorted(folder.glob("record-*"))]
else:
    random = np.random.default_rng(5)
    found = [
        write(folder / f"record-{i:06d}", random, 5, [3, 2, 7, 5][i % 4], i % 3 == 1)
        for i in range(12)
    ]
json.dump(found, sys.stdout)
