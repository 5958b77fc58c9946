#!/usr/bin/env bash
# Builds the image of the program, imds:VERSION, for each processor whose static
# program host/release/programs.sh has built, and writes the images as archives to
# target/release-files, for `podman load`, `docker load` and `skopeo copy`. Needs
# buildah, and no privilege: `apt-get install buildah`.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$(cargo pkgid --package imds-host | sed 's/.*[#@]//')
context=target/image
files=target/release-files
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"

rm -rf "$context"
mkdir -p "$context" "$files"
cp LICENSE "$context"
built=()
for pair in amd64=x86_64 arm64=aarch64; do
  program=target/${pair#*=}-unknown-linux-musl/release/imds
  [ -x "$program" ] || continue
  architecture=${pair%=*}
  install -D "$program" "$context/$architecture/imds"
  # Only images in Docker's format have a health check.
  buildah --storage-driver vfs build --quiet --format docker --platform "linux/$architecture" \
    --timestamp "$SOURCE_DATE_EPOCH" --file host/image/Containerfile --tag "localhost/imds:$version-$architecture" \
    --label org.opencontainers.image.title=imds \
    --label org.opencontainers.image.version="$version" \
    --label org.opencontainers.image.licenses=Apache-2.0 \
    --label org.opencontainers.image.revision="$(git rev-parse HEAD)" "$context" >/dev/null
  archive=$files/imds-$version-image-$architecture.tar
  rm -f "$archive"
  buildah --storage-driver vfs push --quiet "localhost/imds:$version-$architecture" \
    "docker-archive:$archive:localhost/imds:$version-$architecture"
  built+=("$architecture")
done
if [ ${#built[@]} = 0 ]; then
  echo "no static program is built: run host/release/programs.sh before" >&2
  exit 1
fi
host/release/sums.sh >/dev/null
echo "localhost/imds:$version for ${built[*]}"
