#!/usr/bin/env bash
# Packages the crate with the component inside, then builds and runs it from the
# package, as `cargo install imds-host` would. After a build of the workspace
# this takes half a minute: dependencies are not built again. Afterwards
# `cargo publish --package imds-host --no-verify --allow-dirty` uploads the same
# package. `--allow-dirty` packages a tree with changes that are not committed.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")

if [ "${1-}" != --allow-dirty ] && [ -n "$(git status --porcelain)" ]; then
  echo "there are changes that are not committed; --allow-dirty packages them too" >&2
  exit 1
fi
cargo build --package imds-host --locked
rm -rf host/assets
mkdir host/assets
cp "$target/imds-component/imds.wasm" host/assets/imds.wasm
cp -R wit host/assets/wit
cp components/imds/description.schema.json host/assets/
# These copies are not in git, which cargo takes for changes.
cargo package --package imds-host --no-verify --locked --allow-dirty

version=$(cargo pkgid --package imds-host | sed 's/.*[#@]//')
package=$target/package/imds-host-$version
rm -rf "$package"
# As of now: the times in a package are always the same, and cargo would build nothing.
tar --extract --touch --gunzip --file "$package.crate" --directory "$target/package"
# Out of the workspace, but with its profiles: under others every dependency would be built again.
{ echo '[workspace]'; sed --quiet '/^\[profile\./,$p' Cargo.toml; } >> "$package/Cargo.toml"
cd "$package"
for file in LICENSE README.md assets/imds.wasm assets/description.schema.json assets/wit/imds.wit; do
  [ -s "$file" ] || { echo "the package lacks $file" >&2; exit 1; }
done
cargo run --target-dir "$target" --locked -- run -- \
  sh -c 'case $AWS_EC2_METADATA_SERVICE_ENDPOINT in http://127.0.0.1:*) ;; *) exit 1 ;; esac'
