"""NumPy beside our reading and writing of its files.

read FOLDER: what numpy.load finds in each file there, and whether numpy.save
would have written the same bytes.
write FOLDER: arrays of each type, in each version of the format.
"""

import io
import json
import pathlib
import sys

import numpy as np

job, folder = sys.argv[1], pathlib.Path(sys.argv[2])
found = {}
if job == "read":
    for file in sorted(folder.glob("*.npy")):
        array = np.load(file, allow_pickle=False)
        again = io.BytesIO()
        np.save(again, array)
        found[file.stem] = {
            "dtype": str(array.dtype),
            "shape": array.shape,
            "values": array.astype(float).tolist(),
            "same": again.getvalue() == file.read_bytes(),
        }
else:
    values = {
        "|u1": [0, 1, 255],
        "<u4": [0, 7, 2**32 - 1],
        "<i4": [-(2**31), 0, 2**31 - 1],
        "<u8": [0, 2**32 + 1, 2**53 - 1],
        "<i8": [-(2**53) + 1, -1, 2**40],
        "<f4": [0.5, -1.25, 2.0**-149],
        "<f8": [0.1, -1e300, 5e-324],
    }
    for type, entries in values.items():
        array = np.array(entries, dtype=type)
        for version in [(1, 0), (2, 0), (3, 0)]:
            name = f"{type[1:]}-{version[0]}.npy"
            with open(folder / name, "wb") as file:
                np.lib.format.write_array(file, array, version=version)
            found[name] = {"type": type, "values": array.tolist()}
    for name, array in {
        "slice.npy": np.arange(10, dtype="<u4")[::3],
        "column.npy": np.asfortranarray(np.eye(4, dtype="<f4"))[:, 1],
        "empty.npy": np.zeros(0, dtype="<f8"),
    }.items():
        np.save(folder / name, array)
        found[name] = {"type": array.dtype.str, "values": array.tolist()}
json.dump(found, sys.stdout)
