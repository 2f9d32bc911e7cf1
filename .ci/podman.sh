# Sourced by the checks of the image: podman with a store of its own, so that nobody's images and
# containers are touched. As root, which podman without a service manager wants.
: "${IMAGES:=$WORK/images}"
mkdir -p "$IMAGES"
BUILD_BASE=localhost/chokepoint-build-base
RUNTIME_BASE=localhost/chokepoint-runtime-base
IMAGE=localhost/chokepoint

# Debian's defaults ask for more than a container that runs this check may have.
cat >"$IMAGES/containers.conf" <<EOT
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
EOT
export CONTAINERS_CONF=$IMAGES/containers.conf

podman() {
    # It has no systemd to leave the health check to, and says so each time; the checks call it themselves.
    command podman --log-level fatal --root "$IMAGES/store" --runroot "$IMAGES/run" --storage-driver overlay "$@"
}
