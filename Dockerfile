# One static binary on nothing: no shell, no package manager, no root.
#
#   docker build --tag signmill .
#   docker run --rm signmill sign --help
#
# GO_IMAGE and VERSION may be overridden. Both platforms that a release has,
# linux/amd64 and linux/arm64, are built on the builder's own.
ARG GO_IMAGE=golang:1.26-bookworm

FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod \
    go mod download
COPY . .
ARG TARGETOS=linux
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/var/cache/go-build \
    CGO_ENABLED=0 GOCACHE=/var/cache/go-build GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    go build -trimpath -ldflags='-s -w' -o /out/signmill ./cmd/signmill
RUN mkdir -p /out/etc/ssl/certs /out/tmp \
    && chmod 1777 /out/tmp \
    && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ \
    && echo 'nonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin' >/out/etc/passwd \
    && echo 'nonroot:x:65532:' >/out/etc/group

FROM scratch
ARG VERSION=devel
LABEL org.opencontainers.image.title="signmill" \
      org.opencontainers.image.description="Signs and encrypts in bulk with keys that never leave Azure Key Vault" \
      org.opencontainers.image.source="https://github.com/signmill/signmill" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /out/ /
USER 65532:65532
ENV HOME=/tmp
ENTRYPOINT ["/signmill"]
CMD ["worker"]
