"""Loads a dataset folder as Hugging Face does, and says what came of it."""

import json
import sys
import tempfile

import datasets

datasets.disable_progress_bars()
with tempfile.TemporaryDirectory() as cache:
    loaded = datasets.load_dataset(sys.argv[1], cache_dir=cache)
    print(json.dumps({
        split: {
            "rows": len(rows),
            "steps": sum(len(e["actions"]) for r in rows for e in r["episodes"]),
            "rewards": sum(sum(e["rewards"]) for r in rows for e in r["episodes"]),
            "first": rows[0]["id"],
        }
        for split, rows in loaded.items()
    }))
