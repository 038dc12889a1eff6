# `make help` lists the targets.
BINARY  := build/zabbix-agent2-plugin-hosting
PACKAGE := ./plugin/cmd/zabbix-agent2-plugin-hosting
HELPER_PACKAGE := ./plugin/cmd/zabbix-hosting-helper
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LINT    := build/bin/golangci-lint
BLACKBOX := build/bin/blackbox
BROWSER := build/bin/browser
LINT_VERSION := v2.15.0
FUZZTIME := 20s
export CGO_ENABLED ?= 0

.DEFAULT_GOAL := help
.PHONY: help build packages test race fuzz demo bench wordpress e2e e2e-short screenshots browser e2e-systemd e2e-leaks e2e-kernels e2e-symbols servers lint docs sdk tidy agents clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: sdk ## the plugin and the root helper, under build/
	go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o build/ $(PACKAGE) $(HELPER_PACKAGE)

packages: sdk ## deb and rpm for amd64 and arm64, under build/packages
	@rm -rf build/packages
	@go run ./plugin/packaging/cmd/packages build/packages

test: sdk agents ## all tests, with real agents 6.0 and 7.0; where `make servers` was run, also all imports into real servers
	go test -timeout 15m ./...
	@! test -e build/zabbixserver/7.0/.complete || go test -tags e2e -count=1 -run TestEveryTemplateImports ./templates/e2e

race: sdk agents ## all tests under the race detector (needs a C compiler)
	GORACE=atexit_sleep_ms=0 CGO_ENABLED=1 go test -timeout 20m -race ./...

fuzz: sdk ## each fuzz target for FUZZTIME
	@go list -f '{{.ImportPath}}' ./... | while read -r package; do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; \
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
	  done; \
	done

demo: build agents ## this host's values through real agents 6.0 and 7.0
	@go run ./testenv/cmd/demo $(abspath $(BINARY))

bench: build agents ## the figures of the README, each beside its bound
	go test -run '^$$' -bench . -benchmem ./checks/... ./plugin/agent ./plugin/cmd/zabbix-hosting-helper
	@go run ./testenv/cmd/bench agents $(abspath $(BINARY))
	GOWORK=off go vet -C testenv/blackbox . && GOWORK=off go build -C testenv/blackbox -o $(abspath $(BLACKBOX)) .
	@go run ./testenv/cmd/bench probes $(abspath $(BLACKBOX))

wordpress: sdk ## a real WordPress whose database and PHP are stopped under a probe
	@GOWORK=off go run ./testenv/cmd/fetch wordpress
	go test -tags wordpress -count=1 -timeout 5m ./testenv/wordpress

e2e: build agents servers browser ## the templates in real Zabbix servers 6.0 and 7.0, with real agents, proxies and a browser
	go test -tags e2e -count=1 -timeout 30m -v ./testenv/zabbixserver ./templates/e2e

e2e-short: build agents servers ## of it what CI does: all imports and a real agent's values with both servers, all triggers with 7.0
	go test -tags e2e -short -count=1 -timeout 15m -v -run 'TestEveryTemplateImports|TestEveryTrigger|TestARealAgent' ./templates/e2e

e2e-systemd: packages ## the packages on machines with a real systemd, agents 6.0 and 7.0 and nginx; needs root
	@GOWORK=off go run ./testenv/cmd/fetch machine
	go test -tags systemd -count=1 -timeout 20m ./testenv/boot ./testenv/boot/e2e

e2e-leaks: sdk ## real leaks of 100 MB of each kind, and 10 minutes of ordinary work without one (needs root)
	go test -tags leaks -count=1 -timeout 30m -v -run 'Hundred|Ordinary' ./checks/slabowner

e2e-kernels: packages ## what asks the kernel, and the packages, with Debian's Linux 6.1 and 6.12 in emulated machines; needs root
	@GOWORK=off go run ./testenv/cmd/fetch kernels
	@GOWORK=off go run ./testenv/cmd/fetch machine
	go test -tags kernels -p 1 -count=1 -timeout 30m -v -run DebiansKernels ./checks/... ./testenv/boot/e2e

e2e-symbols: sdk ## lines of the kernel's source, of Debian's debug symbols of Linux 6.1 and 6.12 (600 MB), beside binutils' and elfutils'
	@GOWORK=off go run ./testenv/cmd/fetch symbols
	go test -tags debugsymbols -count=1 -timeout 10m -v -run Debians ./checks/kernelsource

browser: sdk ## Chromium from Debian's packages, and what drives it, under build/
	@GOWORK=off go run ./testenv/cmd/fetch chromium
	GOWORK=off go vet -C testenv/browser . && GOWORK=off go build -C testenv/browser -o $(abspath $(BROWSER)) .

screenshots: servers browser ## the pictures of all dashboards under templates/images, from real servers and Chromium
	go test -tags e2e -count=1 -timeout 10m -v -run TestEveryDashboardIsShown ./templates/e2e
	cp build/images/7.0/*.png templates/images/

lint: sdk $(LINT) ## the linters of .golangci.yml
	$(LINT) run --allow-parallel-runners ./...

$(LINT): Makefile
	@mkdir -p $(@D)
	GOBIN=$(abspath $(@D)) GOWORK=off go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION) || \
	  { echo "cannot install golangci-lint $(LINT_VERSION): see the lines above; check that the Go module proxy can be reached (go env GOPROXY)"; exit 1; }
	@touch $@

docs: sdk ## the generated parts: README tables, golden payloads, the agent's configuration, forms of the templates
	go test ./plugin/keys -run 'TestReadme|TestGolden' -update
	go test ./plugin/packaging -run TestTheAgentsConfigurationIsCurrent -update
	go run ./templates/cmd/generate

sdk: ## the Zabbix SDK, from the module proxy or else from Debian's source package
	@GOWORK=off go run ./testenv/cmd/fetch sdk

agents: ## real agents 6.0 and 7.0 from Debian's packages, unpacked under build/
	@GOWORK=off go run ./testenv/cmd/fetch agents

servers: ## real Zabbix servers 6.0 and 7.0 with PostgreSQL and PHP, from Debian's packages, unpacked under build/
	@GOWORK=off go run ./testenv/cmd/fetch servers

tidy: ## add modules (make tidy ADD='module@version …') and tidy go.mod
	@GOWORK=off go run ./testenv/cmd/fetch tidy $(ADD)

clean: ## remove what the other targets made
	rm -rf build go.work go.work.sum
