MODULE  := $(shell go list -m)
VERSION := $(shell git describe --tags --dirty 2>/dev/null || echo dev)
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS := -X $(MODULE)/cmd/tegata/cli.version=$(VERSION) -X $(MODULE)/cmd/tegata/cli.commit=$(COMMIT)

PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64

.PHONY: build test soak lint bench docs netns release
export CMD

build: ## ./tegata, for this machine
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o . ./cmd/tegata

test: ## everything that this machine can run
	go test -race ./...

soak: ## a minute of 32 clients at the emulator, and its memory
	TEGATA_SOAK=60s go test ./emulator -run '^TestSoak$$' -count 1 -v

lint: ## what a change must pass before its tests are run
	bash .ci/run format vet staticcheck cross

bench: ## the figures of bench/README.md, measured here
	go run ./bench

docs: ## docs/messages, from the catalogue
	go generate ./...

netns: ## make netns CMD='…': run CMD where loopback is the whole network
	@unshare $$([ "$$(id -u)" = 0 ] || printf %s -Ur) -n sh -c 'ip link set lo up && exec sh -c "$$CMD"'

release: ## dist/: static binaries with their checksums
	rm -rf dist && mkdir dist
	set -e; for platform in $(PLATFORMS); do \
		os=$${platform%/*} arch=$${platform#*/} ext=; \
		[ $$os != windows ] || ext=.exe; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -trimpath -ldflags '-s -w $(LDFLAGS)' \
			-o dist/tegata-$$os-$$arch$$ext ./cmd/tegata; \
	done
	cd dist && sha256sum tegata-* > SHA256SUMS
