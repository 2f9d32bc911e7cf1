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

stop_server() {
    if [ -n "${SERVER_PID:-}" ]; then
        # It may have ended by itself, and a signal is how it ends here.
        kill "$SERVER_PID" 2>/dev/null || true
        wait "$SERVER_PID" 2>/dev/null || true
        SERVER_PID=
    fi
}
