# Sourced by the checks: a server of their own, which ends with them.
set -euo pipefail
# A check that ends early says where.
trap 'echo "$0: line $LINENO failed" >&2' ERR
: "${WORK:=$(mktemp -d)}"

fail() {
    echo "$*" >&2
    exit 1
}

# serve [VARIABLE=value…]: starts the release build, or the CHOKEPOINT that is named, on free ports and
# sets APP, OPS and SERVER_PID.
serve() {
    local folder
    folder=$(mktemp -d "$WORK/server.XXXX")
    env LISTEN=127.0.0.1:0 OPS_LISTEN=127.0.0.1:0 LOG_FORMAT=json DATABASE_URL="sqlite://$folder/test.db" \
        "$@" "${CHOKEPOINT:-target/release/chokepoint}" >"$folder/log" 2>&1 &
    SERVER_PID=$!
    trap stop_server EXIT
    local ready
    for _ in $(seq 3000); do
        # Not there yet is no failure; the loop ends after a minute.
        ready=$(grep -m1 '"message":"ready"' "$folder/log" || true)
        if [ -n "$ready" ]; then
            APP=http://$(jq -r .fields.app <<<"$ready")
            OPS=http://$(jq -r .fields.ops <<<"$ready")
            return
        fi
        kill -0 "$SERVER_PID" || break
        sleep 0.02
    done
    cat "$folder/log" >&2
    fail "the server has ended, or is not ready after a minute"
}

# lab_ids: the id of each lab, a line each.
lab_ids() { printf '%s\n' src/labs/*/*/lab.json | cut -d / -f 4 | tr _ -; }

# lab_folder ID: the folder of a lab.
lab_folder() { echo src/labs/*/"${1//-/_}"; }

# serve_labs: serves with what labs set for themselves, and two workers, so that slow can fill them, as prove has it.
serve_labs() {
    local settings
    mapfile -t settings < <(jq -rs 'map(.settings // {}) | add | to_entries[] | "\(.key)=\(.value)"' src/labs/*/*/lab.json)
    serve WORKER_THREADS=2 "${settings[@]}"
}

# forget_build FOLDER: has cargo build the checkout's crates anew there. After the build of a copy of the sources it
# takes the copy's for those of the same names.
forget_build() { rm -rf "$1/.fingerprint/chokepoint"* "$1/.fingerprint/migrations"*; }

stop_server() {
    if [ -n "${SERVER_PID:-}" ]; then
        # It may have ended by itself, and a signal is how it ends here.
        kill "$SERVER_PID" 2>/dev/null || true
        wait "$SERVER_PID" 2>/dev/null || true
        SERVER_PID=
    fi
}
