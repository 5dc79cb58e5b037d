"""Windows of steps out of labelled rows, as numpy users pack them: FILE CONTEXT LABEL OUT."""

import json
import sys

import numpy as np
from safetensors.numpy import save_file

ROWS_PER_FILE = 2000


def flat(row, name):
    return np.concatenate([e[name] for e in row["episodes"]])


def late(column, first):
    return np.concatenate([[first], column[:-1]])


def steps_of(row, label):
    episodes = row["episodes"]
    lengths = [len(e["actions"]) for e in episodes]
    total = sum(lengths)
    starts = np.zeros(total, np.uint8)
    ends = np.zeros(total, np.uint8)
    at = 0
    for e, n in zip(episodes, lengths):
        starts[at] = 3 if at == 0 else 1
        ends[at + n - 1] = 1 if e["terminated"] else 2
        at += n
    actions = flat(row, "actions").astype(np.int32)
    rewards = flat(row, "rewards").astype(np.float32)
    return {
        "observations": np.concatenate([e["observations"][:-1] for e in episodes]).astype(np.int32),
        "next_observations": np.concatenate([e["observations"][1:] for e in episodes]).astype(np.int32),
        "actions": actions,
        "rewards": rewards,
        "previous_actions": late(actions, -1).astype(np.int32),
        "previous_rewards": late(rewards, 0).astype(np.float32),
        "previous_ends": late(ends, 0).astype(np.uint8),
        "positions": np.arange(total, dtype=np.int32),
        "labels": np.concatenate([e["labels"][label] for e in episodes]).astype(np.int32),
        "starts": starts,
        "ends": ends,
        "mask": np.ones(total, np.uint8),
    }


def windows_of(columns, context):
    total = len(columns["actions"])
    for start in range(0, total, context):
        window = {}
        for name, column in columns.items():
            cut = column[start : start + context]
            empty = -1 if name in ("actions", "previous_actions", "labels") else 0
            padded = np.full(context, empty, column.dtype)
            padded[: len(cut)] = cut
            window[name] = padded
        yield window


def main(file, context, label, out):
    windows, files = [], 0

    def write():
        nonlocal windows, files
        tensors = {name: np.stack([w[name] for w in windows]) for name in windows[0]}
        save_file(tensors, f"{out}/pack-{files:05}.safetensors")
        windows, files = [], files + 1

    with open(file) as lines:
        for line in lines:
            for window in windows_of(steps_of(json.loads(line), label), context):
                windows.append(window)
                if len(windows) == ROWS_PER_FILE:
                    write()
    if windows:
        write()


main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
