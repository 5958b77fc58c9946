#!/usr/bin/env bash
# build.sh [DIRECTORY]: writes imds-http-proxy.wasm and imds-http.wasm there, or to
# target/imds-http. Each has the service inside. docs/http.md tells what
# IMDS_HTTP_INSTANCE and IMDS_HTTP_TOKEN_SECRET put into them.
set -euo pipefail
cd "$(dirname "$0")/../.."
built=target/imds-component/wasm32-unknown-unknown/component
output=${1:-target/imds-http}
mkdir -p "$output"

# This linker makes a component of the module; the target's usual one would leave a module.
build() {
  cargo rustc --locked --lib --profile component --crate-type cdylib --target wasm32-unknown-unknown \
    --target-dir target/imds-component --config 'target.wasm32-unknown-unknown.linker="wasm-component-ld"' "$@"
}
compose() {
  cargo run --quiet --locked --package imds-compose --target-dir target/imds-compose -- \
    "$built/imds_http.wasm" target/imds-component/imds.wasm "$output/$1"
}
cargo run --quiet --locked --package imds-compose --target-dir target/imds-compose
cargo run --quiet --locked --package imds-component
build --package imds-http
compose imds-http-proxy.wasm
build --package imds-http --features environment
compose imds-http.wasm
ls -l "$output"
