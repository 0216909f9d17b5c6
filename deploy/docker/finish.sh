#!/bin/bash
# Complete /opt/graft: a bill of materials, no files that only builds and tests need,
# and compiled modules, since nothing can be written where the image runs.
#   finish.sh [cpu]     cpu: without the CUDA libraries of bitsandbytes
set -euo pipefail
packages=$(echo /opt/graft/lib/python3*/site-packages)
cyclonedx-py environment --output-reproducible \
  --output-file /opt/graft/sbom.cdx.json /opt/graft/bin/python3
rm -rf "$packages"/torch/{include,test,bin,share} "$packages"/pyarrow/{include,tests}
if [ "${1:-}" = cpu ]; then
  rm -f "$packages"/bitsandbytes/libbitsandbytes_{cuda,rocm,hip,xpu}*
fi
find "$packages" -depth -type d -regex '.*/\(pandas\|scipy\|numpy\|sklearn\)/.*tests' -exec rm -rf {} +
# The image never changes, so no module is compared with its source when it is imported.
/opt/graft/bin/python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash \
  "$packages" >/dev/null || true
