# Two small images, for a server that already listens somewhere:
#
#   docker build -t dnode-conform --build-arg COMMIT="$(git rev-parse HEAD)" .
#   docker run --rm --network host dnode-conform 127.0.0.1:5050
#
# Reports go to /reports: add -v "$PWD:/reports" --user "$(id -u)". To start your server with --exec, the image must contain your server too:
# begin yours with `FROM dnode-conform`, or copy /usr/local/bin/dnode-conform into it. The program needs no libraries.
#
# `--target minimal` builds an image that has the program and nothing else. It has no shell, and --exec needs one, so it only tests a
# server by its address.
FROM rust:1.88-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY spec spec
COPY reports reports
COPY harness harness
COPY fuzz fuzz
COPY fixtures/Cargo.toml fixtures/build.rs fixtures/
COPY fixtures/src fixtures/src
COPY fixtures/transcripts fixtures/transcripts
COPY fixtures/machine fixtures/machine
ARG COMMIT
RUN DNODE_CONFORM_COMMIT=$COMMIT cargo build --release --locked -p dnode-conform && mkdir /reports

FROM scratch AS minimal
COPY --from=build --chown=65534:65534 /reports /reports
COPY --from=build /src/target/release/dnode-conform /dnode-conform
USER 65534:65534
WORKDIR /reports
ENTRYPOINT ["/dnode-conform"]

FROM alpine:3.22
RUN adduser -D conform && mkdir /reports && chown conform /reports
COPY --from=build /src/target/release/dnode-conform /usr/local/bin/dnode-conform
USER conform
WORKDIR /reports
ENTRYPOINT ["dnode-conform"]
