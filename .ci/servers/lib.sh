# Sourced by postgres and redis: the commands that both have. Each script defines launch, which starts
# its server on $PORT in $FOLDER and leaves it running, halt, which ends it, url, crash, and signal, which
# sends one to all its processes.
set -euo pipefail

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

usage() {
    cat >&2 <<EOT
usage: $0                start a server of one's own, until Ctrl-C
       $0 start          start one in the background, print its URL
       $0 stop [URL]     stop that one, or all, and delete what they stored
       $0 crash URL      kill it without notice; what it stored stays
       $0 again URL      start that one again, on the same port
       $0 freeze URL     stop its processes where they are
       $0 thaw URL       let them go on
EOT
    exit 2
}

# Folder and port of a server lead to each other, so its URL is all that one needs to keep.
folder_of() { echo "${TMPDIR:-/tmp}/chokepoint-$(basename "$0")-$1"; }

at_url() {
    PORT=$(sed -nE 's#^[a-z]+://[^/]*:([0-9]+)(/.*)?$#\1#p' <<<"${1:-}")
    [ -n "$PORT" ] || usage
    FOLDER=$(folder_of "$PORT")
    [ -d "$FOLDER" ] || fail "no server of this script has the port $PORT"
}

# The server may not start because somebody took the port meanwhile; then another one is tried. Ports
# from 20000 to 32000 are not given to outgoing connections.
start() {
    for _ in 1 2 3 4 5; do
        PORT=$((20000 + RANDOM % 12000)) FOLDER=$(folder_of "$PORT")
        # Whoever answers has the port already.
        if (: <>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || ! mkdir -m 700 "$FOLDER" 2>/dev/null; then
            continue
        fi
        if prepare >"$FOLDER/start.log" 2>&1 && launch >>"$FOLDER/start.log" 2>&1; then
            return
        fi
        cat "$FOLDER/start.log" >&2
        rm -rf "$FOLDER"
    done
    fail "the server did not start"
}

stop() {
    # It may have been crashed before, or be frozen.
    signal CONT 2>/dev/null || true
    halt >/dev/null 2>&1 || true
    rm -rf "$FOLDER"
}

stop_all() {
    local folder
    for folder in "$(folder_of '')"*; do
        if [ -d "$folder" ]; then PORT=${folder##*-} FOLDER=$folder stop; fi
    done
}

main() {
    case ${1:-} in
    "")
        start
        sleep infinity &
        local asleep=$!
        # Ended by Ctrl-C, this script still has to stop the server.
        trap "kill $asleep; stop" EXIT
        trap 'exit 130' INT TERM
        url
        echo "until Ctrl-C; $FOLDER is deleted then" >&2
        wait "$asleep"
        ;;
    start)
        start
        url
        ;;
    stop)
        if [ -n "${2:-}" ]; then at_url "$2" && stop; else stop_all; fi
        ;;
    crash) at_url "${2:-}" && crash ;;
    again) at_url "${2:-}" && launch >>"$FOLDER/start.log" 2>&1 ;;
    freeze) at_url "${2:-}" && signal STOP ;;
    thaw) at_url "${2:-}" && signal CONT ;;
    *) usage ;;
    esac
}
