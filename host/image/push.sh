#!/usr/bin/env bash
# Pushes the images that host/image/build.sh built, as one image for all processors:
#
#   host/image/push.sh registry.example.com/imds               # as :VERSION
#   host/image/push.sh 127.0.0.1:5000/imds --tls-verify=false  # to a registry without TLS
set -euo pipefail
cd "$(dirname "$0")/../.."
repository=${1:?give the name of the image in its registry}
shift
version=$(cargo pkgid --package imds-host | sed 's/.*[#@]//')
buildah() { command buildah --storage-driver vfs "$@"; }
list=imds-$version-$$
buildah manifest create "$list" >/dev/null
trap 'buildah manifest rm "$list" >/dev/null' EXIT
for architecture in amd64 arm64; do
  buildah inspect --type image "localhost/imds:$version-$architecture" >/dev/null
  buildah manifest add "$list" "localhost/imds:$version-$architecture" >/dev/null
done
# In Docker's format, which has health checks.
buildah manifest push --all --format v2s2 "$@" "$list" "docker://$repository:$version"
