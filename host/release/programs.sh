#!/usr/bin/env bash
# Builds the static programs for Linux, and writes to target/release-files what a
# release has of them: an archive for each processor with the program, the licence,
# completions and manual pages; a list of what each program is made of, as CycloneDX;
# and SHA256SUMS. On Linux, with rustup, python3 and its module venv:
#
#   host/release/programs.sh                               # both
#   host/release/programs.sh x86_64-unknown-linux-musl     # one of them
#
# The list needs the program cargo-cyclonedx (`cargo install --locked
# cargo-cyclonedx`); without it there is none, and the script says so and fails at
# its end.
set -euo pipefail
cd "$(dirname "$0")/../.."
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(x86_64-unknown-linux-musl aarch64-unknown-linux-musl)
here=$(uname -m)-unknown-linux-musl
files=target/release-files
version=$(cargo pkgid --package imds-host | sed 's/.*[#@]//')
# Each file in an archive has the time of the commit, so that the same commit gives the same archive.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

# zig links for every processor, and compiles the C and the assembly of `ring`.
if ! target/release-tools/bin/python -c 'import ziglang' 2>/dev/null; then
  python3 -m venv target/release-tools
  target/release-tools/bin/pip install --quiet --require-hashes --requirement host/release/tools.txt
fi
PATH=$PWD/target/release-tools/bin:$PATH
rustup target add "${targets[@]}" "$here"

build() {
  # Messages of panics name files: as they would be called on any machine.
  RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$PWD=/imds" \
    cargo zigbuild --release --locked --package imds-host --bin imds --features cross --target "$1"
}

# What the program is made of. cargo-cyclonedx writes beside each Cargo.toml, so it
# gets a copy; its identifiers have the path of that, which is taken out again. It
# knows of one set of features for each crate, so it names some that only the build
# script has, such as the translator: more than is linked, and nothing less.
list_parts() {
  local copy
  copy=$(mktemp --directory)
  git archive HEAD | tar --extract --directory "$copy"
  (cd "$copy" && cargo cyclonedx -qq --manifest-path host/Cargo.toml --format json --spec-version 1.5 \
    --describe binaries --no-build-deps --features cross --target "$1")
  sed "s|$copy|/imds|g" "$copy/host/imds_bin.cdx.json" > "$2"
  rm -rf "$copy"
}

# Fails where a file names a place of this machine.
without_paths() {
  if grep --quiet --recursive --fixed-strings --regexp "$PWD" --regexp "${CARGO_HOME:-$HOME/.cargo}" "$1"; then
    echo "a path of this machine is in $1" >&2
    exit 1
  fi
}

for target in "${targets[@]}"; do
  build "$target"
done
# Completions and manual pages are the same for all, so the program that runs here writes them.
[ -x "target/$here/release/imds" ] || build "$here"
imds=target/$here/release/imds
documents=target/release-documents
rm -rf "$documents"
mkdir -p "$documents/completions" "$files"
# Each by the name that its shell looks for.
"$imds" completions bash > "$documents/completions/imds"
"$imds" completions zsh > "$documents/completions/_imds"
"$imds" completions fish > "$documents/completions/imds.fish"
"$imds" man "$documents/man"

parts=yes
command -v cargo-cyclonedx >/dev/null || parts=
for target in "${targets[@]}"; do
  name=imds-$version-$target
  folder=target/release-folder/$name
  rm -rf "$folder"
  mkdir -p "$folder"
  cp LICENSE "target/$target/release/imds" "$folder"
  cp -R "$documents/completions" "$documents/man" "$folder"
  without_paths "$folder"
  tar --create --sort name --owner 0 --group 0 --numeric-owner --mode go=rX --mtime "@$SOURCE_DATE_EPOCH" \
    --directory target/release-folder "$name" | gzip --no-name > "$files/$name.tar.gz"
  rm -f "$files/$name.cdx.json"
  if [ -n "$parts" ]; then
    list_parts "$target" "$files/$name.cdx.json"
    without_paths "$files/$name.cdx.json"
  fi
done

host/release/sums.sh
[ -n "$parts" ] || {
  echo "NO LIST OF PARTS: cargo-cyclonedx is missing; cargo install --locked cargo-cyclonedx" >&2
  exit 1
}
