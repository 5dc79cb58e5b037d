"""The shortest decimals of 32-bit floats, given by their bits, as numpy has them."""

import json
import sys

import numpy as np

floats = np.array(json.loads(sys.argv[1]), dtype="<u4").view("<f4")
print(json.dumps([np.format_float_scientific(x, unique=True) for x in floats]))
