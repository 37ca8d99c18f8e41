# siptrust: `make demo` runs the main job, `make test` runs the tests. Both install what they need.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Packages as Debian names them: what npm needs to compile better-sqlite3, and what the live tests and the demo run.
BUILD_PACKAGES := make g++ python3
LIVE_PACKAGES := kamailio kamailio-tls-modules kamailio-extra-modules kamailio-utils-modules \
	kamailio-json-modules kamailio-lua-modules kamailio-python3-modules kamailio-websocket-modules kamailio-sctp-modules sip-tester stunnel4 openssl debootstrap iproute2 tshark bind9 prometheus chromium postgresql pgbouncer
# What the lab builds its networks of: IPsec in user space, filters, NAT64.
LAB_PACKAGES := strongswan-charon strongswan-swanctl libcharon-extra-plugins libstrongswan-standard-plugins nftables tayga procps
# What the package is built, checked and tried with.
DEB_PACKAGES := dpkg-dev binutils lintian debootstrap man-db util-linux
# Where `make run` keeps what the example policy refers to.
EXAMPLE := .cache/example
# Programs of minutes: they can be stopped from the first moment.
LONG_WORK := node --import tsx --import ./test/support/live/early-stop.ts
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: dev ci help release test-release deb test-deb setup packages toolchain node-version build lint dead run demo test test-unit test-wire test-flow test-cost test-matrix test-opensips test-ui run-ui test-fleet run-fleet test-fleet-long fleet bench-fleet demo-ui lab-packages lab test-lab bench bench-plugin bench-reload bench-faults bench-lab soak fuzz clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# Tests and demos start what they need themselves: nothing that is installed for them runs as a service.
NO_SERVICES := /usr/sbin/policy-rc.d

# install-missing(packages)
define install-missing
	@missing=$$(for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  echo "installing: "$$missing; \
	  made=; [ -e $(NO_SERVICES) ] || { made=1; printf '#!/bin/sh\nexit 101\n' | $(SUDO) tee $(NO_SERVICES) >/dev/null; \
	    $(SUDO) chmod 755 $(NO_SERVICES); }; \
	  $(SUDO) apt-get update -q && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; rc=$$?; \
	  [ -z "$$made" ] || $(SUDO) rm -f $(NO_SERVICES); exit $$rc; \
	fi
endef

node-version:
	@node -e 'const [a,b]=process.versions.node.split(".").map(Number); if (a<20||(a===20&&b<19)) { console.error(`siptrust needs Node 20.19 or newer, found $${process.versions.node}`); process.exit(1) }'

toolchain: node-version
	$(call install-missing,$(BUILD_PACKAGES))

packages: ## install the Debian packages that the live tests need and are missing
	$(call install-missing,$(LIVE_PACKAGES))

node_modules: package.json package-lock.json | toolchain
	npm ci --no-fund --no-audit
	@touch node_modules

setup: packages node_modules

build: node_modules ## compile to dist/: siptrustd and siptrustctl
	npm run -s build
	@chmod +x dist/main.js dist/ctl/main.js

lint: node_modules ## style and types
	npm run -s lint

generated: node_modules ## what is made of the tables of src/: lists of the plugins, tables of docs/
	npx vitest run --project unit test/unit/generated.test.ts test/unit/policy/docs.test.ts -u

dead: node_modules ## what is exported and used by nobody, and files and packages likewise (knip.json)
	npx --yes knip@6.44.2 --no-progress

run: build $(EXAMPLE)/peer.json ## siptrustd alone, on the example policy; Ctrl-C ends it
	@echo 'In another terminal, from this directory:'
	@echo '  node dist/ctl/main.js --socket $(EXAMPLE)/siptrust.sock status'
	@echo '  node dist/ctl/main.js --socket $(EXAMPLE)/siptrust.sock peer < $(EXAMPLE)/peer.json'
	@echo '  node dist/ctl/main.js --socket $(EXAMPLE)/siptrust.sock explain < $(EXAMPLE)/peer.json'
	@exec dist/main.js --config kamailio-cfg/example/siptrust.yaml

PEER_QUESTION := const pem = require("fs").readFileSync("$(EXAMPLE)/b.pem", "utf8"); \
  const tls = { pem, verified: 1, version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" }; \
  const local = { rcv_ip: "127.0.0.1", rcv_port: 5061, src_ip: "127.0.0.2", src_port: 40000 }; \
  console.log(JSON.stringify({ direction: "in", proto: "tls", conid: 1, ...local, tls }))

# A throw-away CA of the partner in the example policy, a certificate by it, and a question about a peer that has that.
$(EXAMPLE)/peer.json:
	@mkdir -p $(EXAMPLE)
	@cd $(EXAMPLE) && \
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/O=Operator B/CN=Operator B CA' \
	  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
	  -keyout op-b-ca.key -out op-b-ca.pem 2>openssl.log && \
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/O=Operator B/CN=b.example' \
	  -keyout b.key -out b.csr 2>>openssl.log && \
	printf '%s\n' subjectAltName=DNS:b.example keyUsage=critical,digitalSignature \
	  extendedKeyUsage=serverAuth,clientAuth >b.ext && \
	openssl x509 -req -in b.csr -CA op-b-ca.pem -CAkey op-b-ca.key -CAcreateserial -days 3650 -extfile b.ext \
	  -out b.pem 2>>openssl.log || { cat openssl.log >&2; exit 1; }
	@node -e '$(PEER_QUESTION)' >$@.new
	@mv $@.new $@

dev: node_modules build ## siptrustd with partners and questions, started anew whenever src/ changes; Ctrl-C ends it
	@exec $(LONG_WORK) test/dev/main.ts

ci: ## what runs for each commit, as it runs there: everything, on a clean checkout
	.ci/run

demo: setup build ## two networks, real TLS, real calls: who called, the verdict, what arrived
	$(LONG_WORK) test/flow/demo.ts

test: setup build lint test-unit test-wire test-flow test-opensips ## everything: lint, unit, wire and live tests (a quarter of an hour)
	@# These two wait most of the time: side by side, with the output of each in one piece.
	@$(MAKE) -j2 --no-print-directory --output-sync=target run-ui run-fleet

test-unit: node_modules ## what computes, and starts nothing (a minute)
	npx vitest run --project unit

test-wire: node_modules ## what starts processes: the daemon on each listener, siptrustctl, openssl, promtool
	npx vitest run --project wire --project programs

test-flow: setup build
	npx vitest run --config vitest.flow.config.ts

test-matrix: setup build ## all live tests on Kamailio 5.6.3, 6.0.1 and 6.1.5, and again with the sample proxy in Lua
	SIPTRUST_MATRIX=all npx vitest run --config vitest.flow.config.ts
	SIPTRUST_MATRIX=all SIPTRUST_SCRIPT=lua npx vitest run --config vitest.flow.config.ts

test-cost: setup build ## what foreign bytes cost in processor time, by their length; beside nothing else (half a minute)
	npx vitest run --config vitest.cost.config.ts

test-opensips: setup build ## live tests on the OpenSIPS that SIPTRUST_OPENSIPS names; without one they say so and are skipped
	npx vitest run --config vitest.opensips.config.ts

test-ui: setup build ## the page at /ui in a real Chromium, on a real siptrustd
	@$(MAKE) --no-print-directory run-ui

# Without looking at what was made before.
run-ui:
	npx vitest run --config vitest.ui.config.ts

test-fleet: setup build ## the database of a fleet: killed, frozen, taken over, full (PostgreSQL of its own in a temporary directory)
	@$(MAKE) --no-print-directory run-fleet

run-fleet:
	npx vitest run --config vitest.fleet.config.ts

test-fleet-long: setup build ## the same with 50,000 acknowledged writes and faults of 15 seconds
	SIPTRUST_FLEET_WRITES=50000 SIPTRUST_FLEET_FAULT_MS=15000 npx vitest run --config vitest.fleet.config.ts

fleet: setup build ## three siptrustd and two Kamailios under one policy of one database, with calls: what happened, as a table
	$(LONG_WORK) test/fleet/demo.ts

bench-fleet: setup build ## from the commit to the first stripped message with 10 nodes, and what 10 and 50 nodes cost the database
	SIPTRUST_FLEET_NODES=10 SIPTRUST_FLEET_ROUNDS=50 $(LONG_WORK) test/fleet/demo.ts
	$(LONG_WORK) test/bench/fleet.ts

demo-ui: node_modules build ## the page with partners and questions: prints address and token, Ctrl-C ends it
	@exec node --import tsx test/ui/demo.ts

lab-packages: packages
	$(call install-missing,$(LAB_PACKAGES))

lab: setup lab-packages build ## security gateways, a rogue, TLS, NAT: what each scene shows of docs/lab.md (root)
	test/lab/enter.sh $(LONG_WORK) test/lab/main.ts

test-lab: setup lab-packages build ## the same as tests (root)
	test/lab/enter.sh npx vitest run --config vitest.lab.config.ts

deb: build ## packages/siptrust_VERSION_ARCH.deb, for Debian 13 and 12 (docs/packages.md)
	$(call install-missing,dpkg-dev binutils)
	@node --import tsx packaging/deb.ts

test-deb: setup build ## the package in a fresh Debian 13: installed, at work, upgraded, purged; npm pack (root)
	$(call install-missing,$(DEB_PACKAGES))
	test/deb/enter.sh npx vitest run --config vitest.deb.config.ts

release: setup build ## package, npm tarball, SBOM and checksums of VERSION=x.y.z into packages/x.y.z, built twice (CONTRIBUTING.md, "A release")
	$(call install-missing,dpkg-dev binutils)
	@node --import tsx packaging/release.ts '$(VERSION)'

test-release: toolchain node_modules ## a whole release of a clone of this commit (5 minutes of processor time)
	$(call install-missing,dpkg-dev binutils)
	npx vitest run --config vitest.release.config.ts

bench: setup build ## measurements; results are explained in docs/performance.md
	$(LONG_WORK) test/bench/all.ts

bench-reload: setup build ## what a reload costs whoever asks meanwhile, up to 100,000 agreements and 1,000,000 prefixes
	$(LONG_WORK) test/bench/reload.ts $(SIZES)

bench-faults: setup build ## verdicts while the database is killed, frozen, cut off, slow, full, taken over, beside a server that does nothing
	$(LONG_WORK) test/bench/faults.ts $(FAULTS)

bench-plugin: setup build ## instructions that the plugin for Kamailio adds to a call (under five minutes)
	$(call install-missing,valgrind)
	$(LONG_WORK) test/bench/plugin/main.ts

bench-lab: setup build ## TLS beside IPsec and address lists (8 minutes): numbers, plot and tables in docs/
	$(LONG_WORK) test/bench/ways/main.ts

soak: setup build ## half an hour of calls while siptrustd dies, policies change, certificates rotate: docs/soak.md
	$(LONG_WORK) test/soak/main.ts

fuzz: node_modules ## long runs of the readers' fuzz (crashes, and time), the differential test and the properties
	@export TMPDIR=$$(mktemp -d); trap 'rm -rf "$$TMPDIR"' EXIT; \
	trap 'echo "fuzz: stopped by SIGINT" >&2; exit 130' INT; trap 'echo "fuzz: stopped by SIGTERM" >&2; exit 143' TERM; \
	export SIPTRUST_FUZZ_RUNS=1000000 SIPTRUST_DIFFERENTIAL_RUNS=5000; \
	npx vitest run --testTimeout 36000000 \
	  $$(grep -rlE '\b(runs\(|LONG\b)|SIPTRUST_(FUZZ|DIFFERENTIAL)_RUNS' test/unit test/programs test/wire) && \
	npx vitest run --config vitest.cost.config.ts --testTimeout 36000000 test/cost/readers.test.ts

clean: ## remove what was built
	rm -rf dist node_modules coverage packages
