#!/usr/bin/env bash
# Runs the image of this machine's processor as strictly as anybody would: a root
# that cannot be written to, no capability, no network but its own, no user of the
# host. Needs buildah, crun and python3; no privilege. After host/image/build.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
# In a user namespace, where files of the image can be looked at.
[ "$(id -u)" = 0 ] || exec buildah unshare host/image/test.sh
# Without control groups, which the image does not need: machines have them in several
# forms, and crun refuses one even where it is told to use none.
if [ -z "${IMDS_WITHOUT_CGROUPS-}" ]; then
  IMDS_WITHOUT_CGROUPS=yes exec unshare --mount sh -c "mount -t tmpfs none /sys/fs/cgroup && exec host/image/test.sh"
fi
version=$(cargo pkgid --package imds-host | sed 's/.*[#@]//')
case $(uname -m) in
  x86_64) image=localhost/imds:$version-amd64 ;;
  aarch64) image=localhost/imds:$version-arm64 ;;
esac
buildah() { command buildah --storage-driver vfs "$@"; }
crun() { command crun --root "$bundle/state" --cgroup-manager disabled "$@"; }

bundle=$(mktemp --directory)
name=imds-image-$$
container=$(buildah from --quiet "$image")
end() {
  crun delete --force "$name" 2>/dev/null || true
  buildah rm "$container" >/dev/null
  rm -rf "$bundle"
}
trap end EXIT
ln -s "$(buildah mount "$container")" "$bundle/rootfs"
buildah inspect --type image "$image" > "$bundle/image.json"
(cd "$bundle" && command crun spec)
# What the image says, as a container engine would pass it on.
python3 - "$bundle" <<'P'
import json, pathlib, sys

bundle = pathlib.Path(sys.argv[1])
image = json.loads((bundle / "image.json").read_text())["Docker"]["config"]
spec = json.loads((bundle / "config.json").read_text())
user, group = map(int, image["User"].split(":"))
assert user != 0, "the image runs as root"
assert "1338/tcp" in image["ExposedPorts"], image["ExposedPorts"]
assert image["Healthcheck"]["Test"][0] == "CMD", image["Healthcheck"]
(bundle / "health").write_text("\n".join(image["Healthcheck"]["Test"][1:]) + "\n")
spec["root"] = {"path": str((bundle / "rootfs").resolve()), "readonly": True}
spec["process"].update(
    terminal=False,
    args=image["Entrypoint"] + image["Cmd"],
    env=image["Env"] + ["IMDS_HTTP_TOKENS=required", "IMDS_SET=instance-type=m7g.large"],
    user={"uid": user, "gid": group},
    cwd="/",
    noNewPrivileges=True,
    # Those of this shell; some machines forbid to raise them.
    rlimits=[],
    capabilities={kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")},
)
spec["mounts"] = [mount for mount in spec["mounts"] if mount["type"] != "cgroup"]
spec["linux"]["namespaces"] = [space for space in spec["linux"]["namespaces"] if space["type"] != "cgroup"]
spec["linux"].pop("resources", None)
(bundle / "config.json").write_text(json.dumps(spec))
P

fail() {
  cat "$bundle/log" >&2
  echo "$image: $*" >&2
  exit 1
}
crun run --detach --bundle "$bundle" "$name" < /dev/null > "$bundle/log" 2>&1 || fail "it does not start"
mapfile -t health < "$bundle/health"
# The first may come before the service is ready: it waits.
crun exec "$name" "${health[@]}" || fail "it is not healthy"
type=$(crun exec "$name" /imds get --endpoint http://127.0.0.1:1338 meta-data/instance-type)
[ "$type" = m7g.large ] || fail "the instance type is $type"
if crun exec "$name" /imds get --version1 --endpoint http://127.0.0.1:1338 meta-data/instance-type 2>/dev/null; then
  fail "a variable of the container was ignored: a request without a token was answered"
fi
if crun exec "$name" /imds man /written 2>/dev/null; then
  fail "the root of the container can be written to"
fi
# By the signal that container engines send.
crun kill "$name" TERM
has_ended() {
  crun state "$name" | grep --quiet '"status": *"stopped"'
}
for _ in $(seq 50); do
  ! has_ended || break
  sleep 0.1
done
has_ended || fail "it does not end at SIGTERM"
echo "$image: healthy, with a read-only root, without capabilities; ends at SIGTERM"
