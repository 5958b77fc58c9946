#!/usr/bin/env bash
# Writes SHA256SUMS of all that lies in target/release-files, for `sha256sum --check`.
# Each script that adds to the folder ends with this one.
set -euo pipefail
cd "$(dirname "$0")/../../target/release-files"
rm -f SHA256SUMS
sha256sum -- * > ../SHA256SUMS
mv ../SHA256SUMS .
cat SHA256SUMS
