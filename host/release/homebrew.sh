#!/usr/bin/env bash
# Writes target/release-files/imds.rb, the formula for a Homebrew tap, of the release
# whose files will be at ADDRESS. After host/release/programs.sh, and after
# host/package.sh, whose package with the component inside Homebrew builds on macOS:
#
#   host/release/homebrew.sh https://github.com/OWNER/imds/releases/download/v0.1.0
set -euo pipefail
cd "$(dirname "$0")/../.."
address=${1:?give the address under which the files of the release will be}
version=$(cargo pkgid --package imds-host | sed 's/.*[#@]//')
files=target/release-files
cp "target/package/imds-host-$version.crate" "$files"
sha256() {
  sha256sum "$files/$1" | cut -d ' ' -f 1
}
source=$(sha256 "imds-host-$version.crate")
intel=$(sha256 "imds-$version-x86_64-unknown-linux-musl.tar.gz")
arm=$(sha256 "imds-$version-aarch64-unknown-linux-musl.tar.gz")
home=${address%%/releases/download/*}
sed --expression "s|IMDS_HOME|$home|" --expression "s|IMDS_RELEASE|${address%/}|g" --expression "s|IMDS_VERSION|$version|g" \
  --expression "s|IMDS_SOURCE_SHA256|$source|" --expression "s|IMDS_INTEL_SHA256|$intel|" \
  --expression "s|IMDS_ARM_SHA256|$arm|" host/release/imds.rb > "$files/imds.rb"
host/release/sums.sh
