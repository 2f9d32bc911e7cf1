# The server in an image of its own: `docker build -t chokepoint .`
#
# Both bases are arguments, so that an image of one's own can take their place (.ci/checks/image does
# that). The compiler's version is the one of rust-toolchain.toml.
ARG BUILD_BASE=docker.io/library/rust:1.95.0-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1
ARG RUNTIME_BASE=gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f

FROM ${BUILD_BASE} AS build
WORKDIR /build

# Dependencies alone, behind an empty program: this layer is kept until a manifest changes. The flags
# in .cargo/config.toml are part of every build here, or tokio_unstable would be lost.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY migrations/Cargo.toml migrations/
COPY crates/observe/Cargo.toml crates/observe/
COPY crates/product/Cargo.toml crates/product/
COPY crates/workshop/Cargo.toml crates/workshop/
COPY crates/server/Cargo.toml crates/server/
COPY src/labs/async_runtime/Cargo.toml src/labs/async_runtime/
COPY src/labs/database/Cargo.toml src/labs/database/
COPY src/labs/cache/Cargo.toml src/labs/cache/
COPY src/labs/cpu_memory/Cargo.toml src/labs/cpu_memory/
COPY src/labs/overload/Cargo.toml src/labs/overload/
COPY src/labs/observability/Cargo.toml src/labs/observability/
RUN mkdir -p src tests/servers crates/observe/benches data \
    && for package in . migrations crates/*; do mkdir -p $package/src && touch $package/src/lib.rs; done \
    && for area in src/labs/*; do touch $area/lib.rs; done \
    && for program in src/main.rs crates/observe/benches/poll_meter.rs tests/servers/main.rs; do \
        echo 'fn main() {}' >$program; \
    done \
    && cargo build --locked --release

# The program, with what it embeds: pages, and the k6 scripts that `prove` uses. Newer than the empty
# one by touch, because COPY keeps the files' times.
COPY migrations/src migrations/src
COPY k6 k6
COPY web web
COPY crates crates
COPY src src
RUN touch src/*.rs src/labs/*/lib.rs migrations/src/lib.rs crates/*/src/lib.rs && cargo build --locked --release

FROM ${RUNTIME_BASE}
# Its line tables stay in: without them a flame graph does not name our handlers.
COPY --from=build /build/target/release/chokepoint /usr/local/bin/chokepoint
# Where the default database goes, and samples while a profile is taken. Nothing else is written, so
# the root file system may be read-only.
COPY --from=build --chown=65532:65532 /build/data /data
VOLUME /data
WORKDIR /
USER 65532:65532

# ops stays on the container's loopback: anywhere else it demands OPS_TOKEN.
ENV LISTEN=0.0.0.0:8000 TMPDIR=/data
EXPOSE 8000 8001
HEALTHCHECK --interval=5s --timeout=4s --start-period=10s --retries=3 CMD ["/usr/local/bin/chokepoint", "health"]
ENTRYPOINT ["/usr/local/bin/chokepoint"]
