# Each recipe is one command, and just prints it before it runs.

# k6 reports its use to its makers otherwise.
export K6_NO_USAGE_REPORT := "true"

# Serve: the app on :8000, ops on :8001
run *options:
    cargo run -- {{ options }}

# All that CI checks before it loads anything
check: fmt clippy clippy-servers test

# Is the code formatted?
fmt:
    cargo fmt --all --check

# Warnings are errors here
clippy:
    cargo clippy --all-targets -- -D warnings

# "All" leaves out the tests that need servers
clippy-servers:
    cargo clippy --test servers -- -D warnings

# Every test of the server
test:
    cargo test

# The tests on PostgreSQL and Redis, on servers of their own
test-servers:
    .ci/checks/servers

# Load a lab of the running server; exit code 99 means that it crossed its gate
lab id variant='slow':
    k6 run -e LAB={{ id }} -e VARIANT={{ variant }} k6/lab.js

# Prove the named labs, or all; a release build, as the flame graphs are about optimised code
prove *labs:
    cargo run --release -- prove {{ labs }}

# Flame graphs of a lab's slow and fast and of their difference, in flames/<id>
flame id:
    cargo run --release -- flame {{ id }}

# All of it in Docker: two instances behind nginx, and what watches them
up:
    deploy/make-secrets
    docker compose up --build --detach --wait

# A PostgreSQL of one's own on a free port until Ctrl-C; prints what DATABASE_URL should be
postgres:
    .ci/servers/postgres

# A Redis of one's own on a free port until Ctrl-C; prints what REDIS_URL should be
redis:
    .ci/servers/redis

# A local Prometheus on :9090 that scrapes the server and takes what k6 writes
prometheus:
    prometheus --config.file=prometheus/prometheus.yml --web.enable-remote-write-receiver --enable-feature=native-histograms,exemplar-storage --web.listen-address=127.0.0.1:9090 --storage.tsdb.path=data/prometheus

# Like `lab`, with k6's metrics in that Prometheus under a testid of their own, as the dashboards want them
k6-prometheus id variant='slow':
    K6_PROMETHEUS_RW_SERVER_URL=http://127.0.0.1:9090/api/v1/write \
    K6_PROMETHEUS_RW_PUSH_INTERVAL=1s \
    K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true \
    k6 run -o experimental-prometheus-rw -e LAB={{ id }} -e VARIANT={{ variant }} \
        --tag testid={{ id }}-{{ variant }}-$(date +%s) k6/lab.js

# Write grafana/dashboards anew from their source
dashboards:
    python3 grafana/src/generate.py
