# holdfast. "make run" and "make test" need nothing but Go.

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
SCENARIO    ?= quick
ARGS        ?=

.PHONY: all build run test race lint upstream server track-record bench bench-sim bench-reading bench-report bench-go screenshots simulate zoo clean

all: build

# The commit is stamped into run.json where git is at hand. A static program needs no
# libraries in the image that members in containers run.
build:
	CGO_ENABLED=0 $(GO) build -buildvcs=auto -o holdfast ./cmd/holdfast

run: build
	./holdfast run $(SCENARIO) $(ARGS)

# What only computes asks no clock and waits for nobody: it has what the others leave
# of the machine. What waits, for clusters and whole runs of them, would starve beside it.
COMPUTE = ./checker/... ./history ./quantity ./internal/ddmin ./internal/printable ./internal/tracegen

# Of that, where no goroutine is started, by a package, its tests or what they use of
# ours, nothing can race. TestWhatIsNotRacedStartsNoGoroutine holds this list to it.
SINGLE = ./checker ./quantity ./internal/ddmin ./internal/printable ./internal/tracegen

# What starts containers by the dozen, or builds an etcd, is tested alone: whole runs
# beside it would starve.
ALONE = ./cluster/docker ./examples/docker-hooks

# Whole runs wait more than they compute: so many of a package go on at a time, although
# the machine has fewer processors.
RUNS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n > 4 ? n : 4)))
TEST  = $(GO) test -timeout 30m -parallel $(RUNS)

# without lists all packages but those of some patterns.
without = $$($(GO) list ./... | grep -vxF "$$($(GO) list $(1))")

test:
	nice -n 19 $(TEST) $(COMPUTE) & compute=$$!; \
	$(TEST) $(call without,$(COMPUTE) $(ALONE)); waited=$$?; \
	wait $$compute && exit $$waited
	$(GO) test -timeout 30m -p 1 -parallel 3 $(ALONE)

# The race detector needs a C compiler. What it slows down computes more than it waits:
# the runs of a package go on one after another.
race:
	$(GO) test -timeout 45m -parallel 1 -race -short $(call without,$(SINGLE) $(ALONE))
	$(GO) test -timeout 30m -race -short -p 1 -parallel 3 $(ALONE)

lint:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# Every known defect of etcd's client primitives, reproduced; and docs/track-record.md.
upstream: build
	./holdfast upstream $(ARGS)

# Known defects of etcd's server, each on a version that has it and on the one in
# which it is mended. These are built first, if they are not in the cache.
server: build
	./holdfast server $(ARGS)

track-record: build
	./holdfast upstream --runs 5 --markdown docs/track-record.md
	./holdfast server --runs 5 --markdown docs/track-record-server.md

# Simulated runs a second, and then one table: holdfast's checks and porcupine's on
# the same histories, about a quarter of an hour; ARGS="-max 100000" is quicker.
# docs/performance.md has both.
bench: bench-sim
	$(GO) run ./internal/compare $(ARGS)

# Simulated runs a second, and virtual time to real time: a quarter of a minute.
bench-sim:
	$(GO) run ./internal/simbench

# Thousands of random schedules in virtual time, the same ones each time: nothing
# may be found without faults, and nothing that is not explained in what is correct.
SEEDS ?= 1-1000
simulate: build
	for subject in mutex rwmutex election; do \
		./holdfast simulate $$subject --faults none --strict --seeds $(SEEDS) || exit 1; done
	for subject in mutex-checked rwmutex-checked election-checked queue-checked priority-queue-checked \
		barrier-checked double-barrier-checked semaphore service; do \
		./holdfast simulate $$subject --seeds $(SEEDS) || exit 1; done

# How long it takes to judge a run directory, and how much memory.
bench-reading: build
	$(GO) run ./internal/synthetic/bench -holdfast ./holdfast

# How large the report of a long run is, how long it takes to make and to paint,
# and a step of its zoom, in Chromium.
bench-report:
	$(GO) run ./internal/reportbench $(ARGS)

# The pictures of reports in docs/, with Chromium: of a scenario, of an upstream
# defect and of a planted bug.
SHOTS ?= runs/screenshots
screenshots: build
	./holdfast run quick --seed 7 --out $(SHOTS)/quick
	./holdfast run upstream/campaign-lost-lease --out $(SHOTS)/upstream
	./holdfast zoo reader-beside-writer --out $(SHOTS)/planted
	$(GO) run ./internal/screenshots -kinds first,timeline,timeline-dark quick=$(SHOTS)/quick/latest/report.html
	$(GO) run ./internal/screenshots -kinds first upstream=$(SHOTS)/upstream/latest/report.html
	$(GO) run ./internal/screenshots -kinds first,dark planted=$(SHOTS)/planted/latest/report.html

# The benchmarks of single packages.
bench-go:
	$(GO) test -run '^$$' -bench . -benchtime 1s -cpu 1 ./history ./checker/... ./reports ./cluster/link ./cluster/sim/model .

# Every planted bug has to be found, and nothing in correct subjects: 3 to 6 minutes.
zoo: build
	./holdfast zoo $(ARGS)

clean:
	rm -rf holdfast runs
