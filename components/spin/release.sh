#!/usr/bin/env bash
# Writes to target/spin-release what a release has for Spin: the components, and
# the template of `spin new` and `spin add` as files and as an archive, which names
# them by address and digest. To be run after `spin build`:
#
#   components/spin/release.sh https://example.com/imds/v0.1.0
set -euo pipefail
cd "$(dirname "$0")/../.."
address=${1:?give the address under which the files of the release will be}
release=target/spin-release

rm -rf "$release"
mkdir -p "$release"
built=target/imds-component
cp "$built/wasm32-wasip2/component/imds_spin.wasm" "$built/wasm32-wasip2/component/imds_spin_control.wasm" \
  "$built/imds.wasm" "$release"
cp -R components/spin/templates "$release"
sha256() {
  sha256sum "$release/$1" | cut -d ' ' -f 1
}
find "$release/templates" -type f -exec sed --in-place \
  --expression "s|IMDS_RELEASE|${address%/}|" \
  --expression "s|IMDS_SPIN_SHA256|$(sha256 imds_spin.wasm)|" \
  --expression "s|IMDS_CONTROL_SHA256|$(sha256 imds_spin_control.wasm)|" \
  --expression "s|IMDS_CORE_SHA256|$(sha256 imds.wasm)|" {} +
tar --create --gzip --file "$release/templates.tar.gz" --directory "$release" templates
