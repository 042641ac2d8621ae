# spschedd: `make help` lists the targets. Every target sets up what it needs first.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

RELEASE := .build/release
# Where the release build keeps what it makes; tests build beside it.
RELEASE_SCRATCH ?= .build
# No path of the machine that built them stays in the binaries: elsewhere it names nothing, and the bytes differ.
SWIFT_RELEASE_FLAGS := -c release --static-swift-stdlib \
    -Xswiftc -file-prefix-map -Xswiftc $(CURDIR)=. -Xcc -ffile-prefix-map=$(CURDIR)=. -Xlinker -z -Xlinker now
# The compiler is written in Swift, too, and its output depends on the order of its hash tables: this makes it one order.
BUILD_RELEASE = SWIFT_DETERMINISTIC_HASHING=1 swift build $(SWIFT_RELEASE_FLAGS) --scratch-path $(RELEASE_SCRATCH)
# Which products `make build` builds: all of them unless given.
PRODUCTS ?=
SOURCES := Sources Tests Benchmarks Experiment Fuzz Package.swift

# Where spsched.pc says that the C client is installed.
PREFIX ?= /usr/local

# What `make run` plays: `make run N=128` tries another number of antagonist VMs, ARGS= passes any other flag.
N ?= 0,16,64
ARGS ?=

.PHONY: help setup build install uninstall deb deb-reproducible libspsched run test test-asan test-tsan test-system \
    test-vm test-confinement test-qemu test-hostile test-restart soak fuzz fuzz-smoke bench bench-quick bench-programs \
    bench-peers experiment experiment-check promises replay documents lint format clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

setup: ## Install what the build needs (Debian: libsystemd-dev, with sudo when not root)
	@scripts/setup

# Building talks on standard error: `make run ARGS=--json` leaves standard output to the JSON.
build: setup ## Build the release binaries into .build/release
	@$(if $(PRODUCTS),$(foreach product,$(PRODUCTS),$(BUILD_RELEASE) --product $(product) >&2;),$(BUILD_RELEASE) >&2)
	@scripts/build-libspsched $(PREFIX) $(RELEASE_SCRATCH)/release >&2

libspsched: ## Build the C client for VMMs (libspsched.so.1, spsched.pc, libspsched-preload.so), beside the binaries
	@scripts/build-libspsched $(PREFIX)

install: ## Put what was built where the system looks for it (DESTDIR= PREFIX=/usr/local); packaging/README.md goes on
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' scripts/install install

uninstall: ## Take it away again, but what an operator has written (the same DESTDIR= and PREFIX=)
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' scripts/install uninstall

deb: build ## Build the Debian packages into .build/deb, and have lintian look at them
	@scripts/setup deb >&2
	@scripts/build-deb

deb-reproducible: setup ## Build the Debian packages twice, each time from nothing, and compare them byte for byte
	@scripts/setup deb >&2
	@scripts/build-deb --reproducible

run: build ## Build, then show the whole thing at work on an emulated Secure Processor
	@$(RELEASE)/spschedctl demo --antagonists $(N) --report demo-report.html $(ARGS)

test: setup lint ## Format and unit checks, then every test of the inner loop (at most 10 minutes on 2 cores)
	scripts/check-units
	scripts/check-documents
	scripts/setup interop
	swift build --build-tests
	scripts/run-tests --skip-build --disable-xctest

test-asan: setup ## The tests under AddressSanitizer and LeakSanitizer, the C parts under UBSan too
	scripts/test-sanitized address

test-tsan: setup ## The tests under ThreadSanitizer
	scripts/test-sanitized thread

test-system: deb ## Install the packages in booted containers, and use them as an operator would (root, or through sudo)
	@scripts/setup system >&2
	@scripts/system-test

test-vm: build ## Boot an emulated machine with a character device for an SP, and use it all there (<= 10 minutes; root)
	@scripts/setup vm >&2
	@scripts/vm-test

bench: bench-programs ## Measure the daemon against C programs without a policy (at most 8 minutes; ARGS=--json)
	@$(RELEASE)/spschedd-bench $(ARGS)

bench-quick: bench-programs ## The same with fewer and shorter rounds (at most 2 minutes)
	@$(RELEASE)/spschedd-bench --quick $(ARGS)

bench-programs: build
	@scripts/setup bench >&2
	@scripts/build-benchmarks >&2

test-confinement: ## Put the filters of packaging on a process that tries the ioctl; compile the SELinux module
	@scripts/setup confinement
	@scripts/check-confinement

test-qemu: build ## Launch real QEMUs in turns, beside VMs that attest (installs qemu-system-x86 on Debian)
	@scripts/setup qemu
	@$(RELEASE)/qemu-launches

# One attack: `make test-hostile ARGS='--attack silent'`. Victims and attackers are two accounts when root runs it.
test-hostile: build ## Attack the release daemon in every known way; judge what its victims notice (<= 6 minutes)
	@scripts/build-hostile
	@$(RELEASE)/hostile-judge $(ARGS)

# How long, and how many VMs: 259 are admitted at the defaults, those that linger included.
MINUTES ?= 30
VMS ?= 200

soak: build ## Let VM processes come, launch, attest and die on the release daemon (MINUTES=30 VMS=200)
	@scripts/build-hostile
	@$(RELEASE)/soak --minutes $(MINUTES) --vms $(VMS) $(ARGS)

# How often, by signal, by systemctl's way and at failpoints; what is asked of a release is the default.
KILLS ?= 200
RESTARTS ?= 50
FAILPOINTS ?= 150

test-restart: build ## End the release daemon again and again under VM processes (KILLS=200 RESTARTS=50 VMS=200)
	@$(RELEASE)/restart-trial --daemon $(RELEASE)/spschedd --vms $(VMS) --kills $(KILLS) --restarts $(RESTARTS) \
	    --failpoints $(FAILPOINTS) $(ARGS)

# Seconds for each target of `make fuzz`, and which one (all of them without).
T ?= 60
TARGET ?=

fuzz: setup ## Fuzz each target for T seconds (T=60 TARGET=wire; J=2 runs two processes at once)
	@scripts/fuzz run $(T) $(TARGET)

fuzz-smoke: setup ## Inputs that once failed, some new ones for each target, and a canary that must fall
	@scripts/fuzz smoke

experiment: build ## Play the experiment in virtual time and write docs/experiment (less than 8 minutes)
	@$(RELEASE)/experiment $(ARGS)

experiment-check: experiment ## The same, and fail if a file is other than committed
	git diff --exit-code docs/experiment
	test -z "$$(git status --porcelain docs/experiment)"

# Which world `make replay` plays: SEED=7, and WORLD= another kind than random. What breaks a rule prints the line.
SEED ?= 1
WORLD ?= random
CHANGES ?=
SHRINK ?=
SEEDS ?=

replay: setup ## Play one world again and tell every step (SEED=7 WORLD=random CHANGES=1.2 SHRINK=1)
	@scripts/promises replay '$(WORLD)' '$(SEED)' '$(CHANGES)' '$(SHRINK)'

# `make promises SEEDS=1-100000` plays these seeds and adds them to what .build/promises.json has.
promises: setup ## Attack the promises: random worlds, known attacks, every small world, mutants (at most 10 minutes)
	@scripts/promises run $(if $(SEEDS),--seeds $(SEEDS)) $(ARGS)

# How often `make bench-peers` measures each row.
ROUNDS ?= 5

bench-peers: build ## Compare with D-Bus, pcscd, tpm2-abrmd and flock, installed from Debian (two minutes after the build)
	@scripts/setup peers || echo 'bench-peers: going on without the peers that are missing' >&2
	@scripts/bench-peers $(ROUNDS)

documents: setup ## Write spschedd.toml, its manual page and spschedctl(1) anew, from what the programs say
	swift build --product spschedctl
	.build/debug/spschedctl config example >packaging/spschedd.toml
	.build/debug/spschedctl config manual >packaging/man/spschedd.toml.5
	SPSCHEDD_WRITE_MANUAL=1 swift test --disable-xctest --filter ManualPageTests

lint: ## Check the formatting
	swift format lint --strict --parallel --recursive $(SOURCES)

format: ## Apply the formatting
	swift format --in-place --parallel --recursive $(SOURCES)

clean: ## Remove everything that was built
	rm -rf .build .build-* demo-report.html
