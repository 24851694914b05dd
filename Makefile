# make demo   what it does, in seconds
# make test   everything up to a real NetBox
# make check  all of it: what a change must pass
#
# SKIP_NETBOX=1 leaves out the tests that need a real NetBox, and says so;
# SKIP_GITEA=1 those that need a real Gitea, SKIP_LAB=1 those that need a real
# Kubernetes API server, Argo CD or Flux.

GO   ?= go
LINT  = $$($(GO) -C fixtures/tools tool -n golangci-lint)

.PHONY: build dist test e2e check lint vet race fuzz generate bench demo demo-forge netbox-up netbox-down gitea-up gitea-down lab-up lab-down clean

build:
	$(GO) build -trimpath -o bin/ ./cmd/...

# What a release holds, and action.yml reads.
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64
DIST      ?= bin/dist
dist:
	rm -rf '$(DIST)' && mkdir -p '$(DIST)'
	@set -e; for p in $(PLATFORMS); do set -x; \
		CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -ldflags='-s -w -buildid=' -o "$(DIST)/hedgehog-gitops_$${p%/*}_$${p#*/}" ./cmd/hedgehog-gitops; \
		{ set +x; } 2>/dev/null; done
	cd '$(DIST)' && sha256sum hedgehog-gitops_* >SHA256SUMS

# The servers are installed before the tests, where their progress can be seen.
test:
	@test -n "$$SKIP_NETBOX" || bash fixtures/netboxserver/server.sh install
	@test -n "$$SKIP_GITEA" || bash fixtures/gitea/gitea.sh install
	@test -n "$$SKIP_LAB" || bash fixtures/lab/lab.sh install
	$(GO) test -timeout 40m $$($(GO) list ./... | grep -v '/fixtures/e2e$$')

# From a record in NetBox to an object in the cluster.
e2e:
	@test -n "$$SKIP_NETBOX" || bash fixtures/netboxserver/server.sh install
	@test -n "$$SKIP_GITEA" || bash fixtures/gitea/gitea.sh install
	@test -n "$$SKIP_LAB" || bash fixtures/lab/lab.sh install
	$(GO) test -count 1 -timeout 30m ./fixtures/e2e

check:
	@GO="$(GO)" bash fixtures/check/check.sh

lint:
	@test -z "$$(gofmt -l cmd render gitsync fixtures | tee /dev/stderr)" || { echo 'hint: gofmt -w cmd render gitsync fixtures'; exit 1; }
	$(LINT) run ./...

vet:
	$(GO) vet ./...

race:
	SKIP_NETBOX=1 SKIP_GITEA=1 SKIP_LAB=1 $(GO) test -timeout 40m -short -race ./...

fuzz:
	@GO="$(GO)" bash fixtures/check/fuzz.sh

generate:
	$(GO) generate ./...

# PART=render and the like measures one part.
bench:
	$(GO) test -run '^$$' -bench '^Benchmark$$/$(if $(PART),^$(PART)$$)' -benchtime 1x -timeout 0 ./fixtures/bench

demo:
	@$(GO) run ./fixtures/demo

# A real NetBox and a real Gitea, which are left running.
demo-forge:
	@$(GO) run ./fixtures/demo -forge

netbox-up:
	@bash fixtures/netboxserver/server.sh up

netbox-down:
	@bash fixtures/netboxserver/server.sh down

gitea-up:
	@bash fixtures/gitea/gitea.sh up

gitea-down:
	@bash fixtures/gitea/gitea.sh down

# NetBox, Gitea, a Kubernetes API server, Argo CD and Flux, which are left running.
lab-up:
	@bash fixtures/netboxserver/server.sh up
	@bash fixtures/lab/lab.sh up

lab-down:
	@bash fixtures/lab/lab.sh down
	@bash fixtures/netboxserver/server.sh down

clean:
	rm -rf bin
