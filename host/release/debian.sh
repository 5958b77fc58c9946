#!/usr/bin/env bash
# Builds the Debian packages of the static programs that host/release/programs.sh has
# built, in target/release-files. Needs cargo-deb: `cargo install --locked cargo-deb`.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=target/debian
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
imds=target/$(uname -m)-unknown-linux-musl/release/imds
if [ ! -x "$imds" ] || [ ! -d target/release-documents ]; then
  echo "no static program is built: run host/release/programs.sh before" >&2
  exit 1
fi

rm -rf "$folder"
mkdir -p "$folder" target/release-files
cp -R target/release-documents/. "$folder"
# Pages of a package are compressed, and the same each time.
gzip --no-name --best "$folder"/man/*.1
"$imds" new > "$folder/instance.toml"
for target in x86_64-unknown-linux-musl aarch64-unknown-linux-musl; do
  [ -x "target/$target/release/imds" ] || continue
  # It is stripped already, and strip knows one processor.
  cargo deb --quiet --package imds-host --no-build --no-strip --target "$target" --output target/release-files
done
host/release/sums.sh
