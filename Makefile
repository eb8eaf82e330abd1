# A thin front for meson. `make build` leaves the command at $(BUILD)/warp.
BUILD ?= build
PREFIX ?= /usr/local
PYTHON = /usr/bin/python3
MESON = meson

# Settings of the three builds; see `make check`.
CLANG_BUILD = $(BUILD)-clang
ASAN_BUILD = $(BUILD)-asan
TSAN_BUILD = $(BUILD)-tsan

.PHONY: check-threads all deps deps-build deps-test build builds demo check check-long check-stress check-torture bench \
	install clean

# Steps of ours run one after the other (apt-get and two ninjas do not share); ninja is parallel itself.
.NOTPARALLEL:

all: build

deps: deps-build deps-test

deps-build:
	@scripts/deps build

deps-test:
	@scripts/deps test

build: deps-build
	@test -f $(BUILD)/build.ninja || CC=gcc $(MESON) setup $(BUILD) --prefix=$(PREFIX)
	@ninja -C $(BUILD)

# The other compiler (with the fuzz targets), and the supervisor under its sanitizers.
builds: deps build
	@test -f $(CLANG_BUILD)/build.ninja || CC=clang $(MESON) setup $(CLANG_BUILD) -Dguests=false
	@ninja -C $(CLANG_BUILD)
	@test -f $(ASAN_BUILD)/build.ninja || \
		CC=gcc $(MESON) setup $(ASAN_BUILD) -Dguests=false -Doptimization=1 \
			-Db_sanitize=address,undefined -Dc_args=-fno-sanitize-recover=all
	@ninja -C $(ASAN_BUILD)

demo: build
	@scripts/demo $(BUILD)/warp

# ARGS="--help" tells what else tests/run.py can do: one suite, one test, more repetitions.
check: builds
	@$(PYTHON) tests/run.py check --build $(BUILD) $(ARGS)

check-long: builds
	@$(PYTHON) tests/run.py long --build $(BUILD) $(ARGS)

check-stress: build deps-test
	@$(PYTHON) tests/stress/run.py --build $(BUILD) $(ARGS)

# ARGS='--times 200' is the full set: hours. See tests/torture/run.py --help.
check-torture: build deps-test
	@$(PYTHON) tests/torture/run.py --build $(BUILD) $(ARGS)

# The library and its tests under ThreadSanitizer.
check-threads: deps
	@test -f $(TSAN_BUILD)/build.ninja || \
		CC=gcc $(MESON) setup $(TSAN_BUILD) -Dguests=false -Doptimization=1 -Db_sanitize=thread
	@ninja -C $(TSAN_BUILD) $(addprefix tests/library/,library_guest library_example \
		$(addprefix test_library_,events access lifetime refusals))
	@$(MESON) test -C $(TSAN_BUILD) --no-rebuild --print-errorlogs --suite library

bench: build deps-test
	@bench/run --build $(BUILD) $(ARGS)

install: build
	@$(MESON) configure $(BUILD) -Dprefix=$(PREFIX)
	@ninja -C $(BUILD) install

clean:
	rm -rf $(BUILD) $(CLANG_BUILD) $(ASAN_BUILD) $(TSAN_BUILD)
