#!/usr/bin/env bash
# build.sh [DIRECTORY]: writes imds-http-proxy.wasm and imds-http.wasm there, or to
# target/imds-http. Each has the service inside. docs/http.md tells what
# IMDS_HTTP_INSTANCE and IMDS_HTTP_TOKEN_SECRET put into them.
set -euo pipefail
cd "$(dirname "$0")/../.."
output=${1:-target/imds-http}
mkdir -p "$output"

compose() {
  cargo run --quiet --locked --package imds-compose --target-dir target/imds-compose -- "$@"
}
component() {
  cargo run --quiet --locked --package imds-component -- "$@"
}
# First, what would be refused at every request.
compose
component
adapter=$(component imds-http)
compose "$adapter" target/imds-component/imds.wasm "$output/imds-http-proxy.wasm"
adapter=$(component imds-http environment)
compose "$adapter" target/imds-component/imds.wasm "$output/imds-http.wasm"
ls -l "$output"
