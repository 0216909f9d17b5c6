#!/bin/bash
# Complete /opt/graft: a bill of materials, and no files that serving never reads.
#   finish.sh KIND      all: only the bill; serve, cpu: also remove; cpu: no CUDA libraries
set -euo pipefail
packages=$(echo /opt/graft/lib/python3*/site-packages)
cyclonedx-py environment --output-reproducible \
  --output-file /opt/graft/sbom.cdx.json /opt/graft/bin/python3
if [ "$1" = all ]; then exit; fi
cd "$packages"
# Headers, tests, and Arrow Flight.
find torch/bin -type f ! -name torch_shm_manager -delete
rm -rf torch/{include,test,share} torch/lib/libtorchbind_test.so pyarrow/{include,tests} \
  pyarrow/{libarrow_flight,libarrow_python_flight,_flight}* \
  pandas/tests gradio/media_assets
# Translations of country names, places of phone numbers, and services of AWS other than
# S3 and its credentials.
rm -rf pycountry/locales phonenumbers/geodata
find botocore/data -mindepth 1 -maxdepth 1 -type d \
  ! -name s3 ! -name sts ! -name sso ! -name sso-oidc -exec rm -rf {} +
# Symbols that only a debugger reads. Libraries that auditwheel made may not be stripped.
for folder in torch/lib _polars_runtime_32 pyarrow tokenizers hf_xet; do
  find "$folder" -name '*.so*' -type f -exec strip --strip-unneeded {} +
done
if [ "$1" = cpu ]; then
  rm -f bitsandbytes/libbitsandbytes_{cuda,rocm,hip,xpu}*
fi
