# Each recipe is one command, and just prints it before it runs.

# k6 reports its use to its makers otherwise.
export K6_NO_USAGE_REPORT := "true"

# Serve: the app on :8000, ops on :8001
run *options:
    cargo run -- {{ options }}

# All that CI checks before it loads anything
check: fmt clippy test

# Is the code formatted?
fmt:
    cargo fmt --all --check

# Warnings are errors here
clippy:
    cargo clippy --all-targets -- -D warnings

# Every test of the server
test:
    cargo test

# Load a lab of the running server; exit code 99 means that it crossed its gate
lab id variant='slow':
    k6 run -e LAB={{ id }} -e VARIANT={{ variant }} k6/lab.js

# Prove the named labs, or all; a release build, as the flame graphs are about optimised code
prove *labs:
    cargo run --release -- prove {{ labs }}

# A wall flame graph of the next 5 s as <id>.svg; load the lab meanwhile, as in `just lab`
flame id:
    curl --fail -o {{ id }}.svg 'localhost:8001/debug/pprof/flamegraph?seconds=5&mode=wall'

# A local Prometheus on :9090 that scrapes the server and takes what k6 writes
prometheus:
    prometheus --config.file=prometheus/prometheus.yml --web.enable-remote-write-receiver --enable-feature=native-histograms,exemplar-storage --web.listen-address=127.0.0.1:9090 --storage.tsdb.path=data/prometheus

# Like `lab`, with k6's metrics in that Prometheus under a testid of their own
k6-prometheus id variant='slow':
    K6_PROMETHEUS_RW_SERVER_URL=http://127.0.0.1:9090/api/v1/write \
    K6_PROMETHEUS_RW_PUSH_INTERVAL=1s \
    K6_PROMETHEUS_RW_TREND_STATS='p(95),p(99),min,max,avg' \
    k6 run -o experimental-prometheus-rw -e LAB={{ id }} -e VARIANT={{ variant }} \
        --tag testid={{ id }}-{{ variant }}-$(date +%s) k6/lab.js
