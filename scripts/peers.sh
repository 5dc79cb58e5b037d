#!/usr/bin/env bash
# Installs what tests compare with: Python's numpy, Gymnasium, datasets and ONNX
# in .venv, and jq, zstd and gzip from Debian. PyTorch is too large for tests to
# install; they use Debian's python3-torch where it is. What cannot be had is left
# out, and the tests that need it say so.
set -u
cd "$(dirname "$0")/.." || exit 1

missing=""
for tool in jq zstd gzip; do
  command -v "$tool" >/dev/null || missing="$missing $tool"
done
if [ -n "$missing" ] && command -v apt-get >/dev/null; then
  # shellcheck disable=SC2086 # one word a package
  { apt-get update && apt-get install -y $missing; } >/dev/null 2>&1 ||
    echo "peers: could not install$missing" >&2
fi

if command -v python3 >/dev/null; then
  [ -x .venv/bin/python ] || python3 -m venv .venv
  .venv/bin/python -c 'import numpy, gymnasium, datasets, zstandard, onnx, onnxruntime' 2>/dev/null ||
    .venv/bin/pip install --quiet --disable-pip-version-check \
      -r scripts/peers.txt ||
    echo "peers: could not install Python packages" >&2
fi
exit 0
