# Sourced by alone and behind-nginx: containers as strict as docker-compose.yml makes them.
source "$(dirname "$0")/../lib.sh"
source "$(dirname "$0")/../podman.sh"

# removed NAME: whatever it does now. One that ends at this moment can't be killed, and is an error to
# podman; when it is asked again, it has ended.
removed() {
    podman rm --force --volumes --time 0 "$@" >/dev/null 2>&1 || { sleep 1; podman rm --force --volumes --time 0 "$@" >/dev/null; }
}
cleanup() {
    removed --all
    podman volume prune --force >/dev/null
    # Those that have ended need no signal.
    for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
}
trap cleanup EXIT

# start NAME ARGUMENT…: and waits until it is ready at $URL.
start() {
    local name=$1
    shift
    podman run --detach --name "$name" --read-only --read-only-tmpfs=false --cap-drop=all \
        --security-opt=no-new-privileges --network=host --pull=never "$@" "$IMAGE" >/dev/null
    ready "$name"
}
# ready NAME: it answers at $URL; after 20 s it never will.
ready() {
    for _ in $(seq 1000); do
        [ "$(status "$URL/health/ready")" == 200 ] && return
        sleep 0.02
    done
    podman logs "$1" >&2
    fail "$1 is not ready"
}
# What does not answer has the status 000, which is for the caller to judge.
status() { curl -s --max-time 30 -o /dev/null -w '%{http_code}' "$@" || true; }
pid_of() { podman inspect --format '{{.State.Pid}}' "$1"; }
