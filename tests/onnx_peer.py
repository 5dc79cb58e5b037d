"""Checks an ONNX file and runs it in Python: MODEL INPUTS.json to JSON."""

import json
import sys

import numpy as np
import onnx
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(int32)": np.int32}

model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
with open(sys.argv[2]) as file:
    given = json.load(file)
session = onnxruntime.InferenceSession(
    sys.argv[1], providers=["CPUExecutionProvider"]
)
feeds = {
    i.name: np.array(given[i.name], TYPES[i.type]).reshape(i.shape)
    for i in session.get_inputs()
}
names = [o.name for o in session.get_outputs()]
outputs = session.run(names, feeds)
print(json.dumps({n: o.ravel().tolist() for n, o in zip(names, outputs)}))
