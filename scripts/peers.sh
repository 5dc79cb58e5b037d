#!/usr/bin/env bash
# Installs what tests compare with: Python's numpy, Gymnasium, datasets and ONNX
# in .venv; from Debian jq, zstd and gzip, PyTorch, and SwiftShader, a Vulkan
# without a GPU, which chromium-common carries. What cannot be had is left out, and
# the tests that need it say so.
set -u
cd "$(dirname "$0")/.." || exit 1

missing=""
for tool in jq zstd gzip; do
  command -v "$tool" >/dev/null || missing="$missing $tool"
done
/usr/bin/python3 -c 'import torch' 2>/dev/null || missing="$missing python3-torch"
[ -f /usr/lib/chromium/vk_swiftshader_icd.json ] ||
  missing="$missing chromium-common libvulkan1"
if [ -n "$missing" ] && command -v apt-get >/dev/null; then
  # shellcheck disable=SC2086 # one word a package
  { apt-get update && apt-get install -y --no-install-recommends $missing; } >/dev/null 2>&1 ||
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
