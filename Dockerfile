# The program and the authorities that it trusts, nothing else.
#
#   docker build -t hedgehog-gitops .
#   docker run --rm -e NETBOX_URL -e NETBOX_TOKEN -e GITHUB_TOKEN hedgehog-gitops \
#     publish --fabric lab --repo https://github.com/net/fabrics.git
#
# There is no git in it and no shell: repositories are reached over https and ssh.
FROM --platform=$BUILDPLATFORM golang:1.26.8 AS build
ARG TARGETOS TARGETARCH
WORKDIR /source
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags='-s -w -buildid=' -o /out/hedgehog-gitops ./cmd/hedgehog-gitops

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/hedgehog-gitops /hedgehog-gitops
USER 65532:65532
WORKDIR /repository
ENTRYPOINT ["/hedgehog-gitops"]
