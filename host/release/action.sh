#!/usr/bin/env bash
# What the action of action.yml does, by the variables that it sets: fetches the
# program, checks it, puts it on PATH, and serves.
set -euo pipefail
case $(uname -sm) in
  "Linux x86_64") target=x86_64-unknown-linux-musl ;;
  "Linux aarch64") target=aarch64-unknown-linux-musl ;;
  *)
    echo "::error::there is no program of imds for $(uname -sm); cargo install imds-host builds one"
    exit 1
    ;;
esac
name=imds-$IMDS_ACTION_VERSION-$target
folder=${RUNNER_TEMP:?}/imds-$IMDS_ACTION_VERSION
mkdir -p "$folder"
fetch() {
  curl --fail --silent --show-error --location --retry 3 --output "$folder/$1" "${IMDS_ACTION_RELEASES%/}/$1"
}
fetch "$name.tar.gz"
fetch SHA256SUMS
# The checksums come from the same place: they find a broken download, not a forged one.
(cd "$folder" && grep --fixed-strings "  $name.tar.gz" SHA256SUMS | sha256sum --check --quiet)
tar --extract --gzip --file "$folder/$name.tar.gz" --directory "$folder"
echo "$folder/$name" >> "$GITHUB_PATH"
[ "$IMDS_ACTION_SERVE" = true ] || exit 0

# With quotes as a shell has them, so that a value can have spaces; nothing is expanded.
mapfile -t arguments < <(xargs --no-run-if-empty printf '%s\n' <<< "$IMDS_ACTION_ARGUMENTS")
log=$folder/log
# The runner ends it with the job.
nohup "$folder/$name/imds" serve --listen "127.0.0.1:$IMDS_ACTION_PORT" "${arguments[@]}" > "$log" 2>&1 < /dev/null &
process=$!
for _ in $(seq 100); do
  endpoint=$(sed --quiet 's/^imds: listening on \(http:.*\)/\1/p' "$log" | head -n 1)
  [ -z "$endpoint" ] || break
  kill -0 "$process" 2>/dev/null || break
  sleep 0.1
done
if [ -z "$endpoint" ]; then
  echo "::error::imds did not start: $(tr '\n' ' ' < "$log")"
  exit 1
fi
echo "AWS_EC2_METADATA_SERVICE_ENDPOINT=$endpoint" >> "$GITHUB_ENV"
# Where a runner's own settings forbid it.
echo "AWS_EC2_METADATA_DISABLED=false" >> "$GITHUB_ENV"
echo "endpoint=$endpoint" >> "$GITHUB_OUTPUT"
echo "imds serves on $endpoint; its log is $log"
