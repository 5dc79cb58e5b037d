"""Reads FOLDER/ours, tells what is in it, and writes FOLDER/theirs."""

import json
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

folder = sys.argv[1]
ours = load_file(f"{folder}/ours")
with safe_open(f"{folder}/ours", "np") as file:
    metadata = file.metadata()
print(
    json.dumps(
        {
            "tensors": {k: [str(v.dtype), v.tolist()] for k, v in ours.items()},
            "metadata": metadata,
        }
    )
)
theirs = {
    "c": np.arange(6, dtype=np.int64).reshape(3, 2),
    "d": np.array([1, 0], dtype=np.uint8),
}
save_file(theirs, f"{folder}/theirs", {"w": "z"})
