"""Checks a policy, and plays trials again by it: POLICY TRIALS.jsonl, greedily."""

import json
import sys

import numpy as np
import onnx
import onnxruntime

onnx.checker.check_model(sys.argv[1], full_check=True)
session = onnxruntime.InferenceSession(sys.argv[1])
batch, context = session.get_inputs()[0].shape
for line in open(sys.argv[2]):
    episodes = json.loads(line)["episodes"]
    seen = [o for e in episodes for o in e["observations"][:-1]]
    done = [a for e in episodes for a in e["actions"]]
    paid = [r for e in episodes for r in e["rewards"]]
    # 1 behind a step that terminated its episode, 2 behind one that was cut.
    ends = [(i == len(e["actions"]) - 1) * (2 - e["terminated"])
            for e in episodes for i in range(len(e["actions"]))]
    pad = lambda first, x, t: np.array([(first + x + [0] * context)[:context]], t)
    actions = session.get_outputs()[0].shape[-1]
    (logits,) = session.run(["head.action"], {
        "observation": pad([], seen, np.int32),
        "previousAction": pad([actions], done, np.int32),
        "previousReward": pad([0], paid, np.float32),
        "previousEnd": pad([0], ends, np.int32),
    })
    print(json.dumps(logits[: len(done)].argmax(-1).tolist()))
