# bioecko_appt: the extension by PGXS, the programs around it by gateway/.
# "make help" lists what can be made.

EXTENSION = bioecko_appt
EXTVERSION = 1.0
MODULE_big = bioecko_appt
PGFILEDESC = "bioecko_appt - clinic appointments in PostgreSQL"

SOURCES = $(sort $(wildcard extension/*.c))
APPT_HEADERS = $(wildcard extension/*.h)
OBJS = $(SOURCES:.c=.o)

# The install script is joined from its parts, in the order that ORDER gives.
# Upgrade scripts (bioecko_appt--1.0--1.1.sql) are committed as they are.
SCHEMA = extension/schema
PARTS = $(addprefix $(SCHEMA)/,$(shell sed '/^\#/d' $(SCHEMA)/ORDER))
UNLISTED = $(filter-out $(PARTS),$(wildcard $(SCHEMA)/*.sql $(SCHEMA)/*/*.sql))
DATA_built = $(EXTENSION)--$(EXTVERSION).sql
DATA = $(wildcard $(EXTENSION)--*--*.sql)

# One topic a file in sql/, one race a file in specs/; both know that the
# extension is there.
REGRESS = $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))
REGRESS_OPTS = --load-extension=btree_gist --load-extension=bioecko_appt
ISOLATION = $(sort $(patsubst specs/%.spec,%,$(wildcard specs/*.spec)))
ISOLATION_OPTS = $(REGRESS_OPTS)

# WERROR=1 makes warnings errors, as make test does; not by default, as the
# next compiler warns of more.  Three of -Wextra are off, as in PostgreSQL's own
# build: arguments that a call convention needs and a function does not use,
# initialisers that leave the last members zero on purpose, and an int counted
# up to lengthof().
PG_CPPFLAGS = -Iextension -DAPPT_VERSION='"$(EXTVERSION)"'
PG_CFLAGS = -fvisibility=hidden -Wall -Wextra $(if $(WERROR),-Werror) -Wno-unused-parameter \
	-Wno-missing-field-initializers -Wno-sign-compare

EXTRA_CLEAN = regression.diffs regression.out

# Link-time bitcode would need clang and gives such functions nothing.
override with_llvm = no

.DEFAULT_GOAL := build
.PHONY: build gateway run stop reset test test-on torture fuzz bench deb \
	install-deps help

PG_CONFIG ?= pg_config
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
ifneq ($(PGXS),)
include $(PGXS)
else
.PHONY: all install clean
all install clean:
	@echo "make: PostgreSQL's build files are not here (postgresql-server-dev)." >&2
	@echo "What to do: make install-deps" >&2
	@exit 1
endif

build: all gateway

# Debian's PGXS tracks no dependencies: every object depends on every header.
$(OBJS): $(APPT_HEADERS)
extension/version.o: Makefile

$(DATA_built): $(PARTS) $(SCHEMA)/ORDER $(EXTENSION).control Makefile \
	$(if $(UNLISTED),unlisted)
	@cat $(PARTS) > $@.tmp
	mv $@.tmp $@

.PHONY: unlisted
unlisted:
	@echo "$(SCHEMA)/ORDER does not list $(UNLISTED)" >&2; exit 1

gateway:
	@if [ -f gateway/Makefile ]; then \
		$(MAKE) --no-print-directory -C gateway; \
	else echo "gateway/: no Makefile yet, left out"; fi

clean: clean-gateway

# The two programs, where deploy/'s units look for them.
PREFIX ?= /usr/local
.PHONY: install-programs
install-programs: gateway
	install -d '$(DESTDIR)$(PREFIX)/bin'
	install -m 755 gateway/build/bioecko-gateway gateway/build/bioecko-relay \
		'$(DESTDIR)$(PREFIX)/bin/'
	install -d '$(DESTDIR)$(PREFIX)/share/man/man8'
	for name in bioecko-gateway bioecko-relay; do \
		gateway/manual gateway/build/$$name \
			>'$(DESTDIR)$(PREFIX)'/share/man/man8/$$name.8 || exit; \
	done

.PHONY: clean-gateway
clean-gateway:
	@if [ -f gateway/Makefile ]; then \
		$(MAKE) --no-print-directory -C gateway clean; fi

# T=t/101_x.t runs one file of tests, ONLY=isolation one suite; NOBUILD=1
# takes what is built and installed, ASAN=1 programs under the sanitizers.
test:
	@demo/install-deps --check run build page test deb peers
	@t/run $(if $(ONLY),--only=$(ONLY)) $(if $(NOBUILD),--no-build) \
		$(if $(ASAN),--sanitize) $(T)

# The same on another Debian: DIST=trixie, or sid.
test-on:
	@$(if $(filter 0,$(shell id -u)),,sudo )t/on $(DIST) \
		$(if $(ONLY),--only=$(ONLY)) $(T)

# Looks for inputs that break a parser, FUZZ_S seconds a parser.
fuzz:
	@demo/install-deps --check build peers
	@$(MAKE) --no-print-directory -C gateway fuzz

# A clinic in use while everything fails: TORTURE_S seconds, ten minutes by
# default; make test has a minute of it.
torture:
	@demo/install-deps --check run build test
	@TORTURE_S=$(or $(TORTURE_S),600) t/run t/600_torture.t

# Half an hour; QUICK=1 some minutes, ONLY=slots-sql one measurement.
bench: build
	@demo/install-deps --check run build page bench
	@$(if $(filter 0,$(shell id -u)),,sudo) \
		$(MAKE) --no-print-directory -s install
	@bench/run $(if $(QUICK),--quick) $(if $(ONLY),--only=$(ONLY))

# The release as PGXN and packagers want it: what is committed, below one
# directory, as a zip and as a tarball.
DISTVERSION = $(shell sed -n 's/^\t"version": "\(.*\)",/\1/p' META.json)
DIST_DIR ?= dist
.PHONY: dist
dist:
	@git rev-parse --show-cdup 2>/dev/null | grep -qx '' || \
		{ echo "make dist: this is no checkout with git" >&2; exit 1; }
	@mkdir -p '$(DIST_DIR)'
	@for format in zip tar.gz; do \
		git archive --prefix=$(EXTENSION)-$(DISTVERSION)/ --format=$$format \
			--output='$(DIST_DIR)/$(EXTENSION)-$(DISTVERSION)'.$$format HEAD && \
		echo "$(DIST_DIR)/$(EXTENSION)-$(DISTVERSION).$$format"; done

# The same as Debian packages, for the PostgreSQL of this Debian.
deb: gateway
	@demo/install-deps --check build deb
	@debian/build '$(DIST_DIR)'

run:
	@demo/run

stop:
	@demo/stop

reset:
	@demo/stop --reset

install-deps:
	@demo/install-deps

help:
	@echo "make                   build the extension and the programs"
	@echo "make run               open the demo clinic; Ctrl-C ends it"
	@echo "make stop, make reset  end a demo that runs elsewhere; and its data"
	@echo "make test              every test; T=t/001_main_job.t one file,"
	@echo "                       ONLY=style, regress, isolation or tap one suite,"
	@echo "                       ASAN=1 with the programs under the sanitizers"
	@echo "make test-on DIST=trixie  the same on another Debian, as root"
	@echo "make torture           a clinic in use while everything fails, and what is"
	@echo "                       left of it; TORTURE_S=600 seconds"
	@echo "make fuzz              look for what breaks a parser; FUZZ_S=60 each"
	@echo "make bench             measure, in half an hour; QUICK=1: in minutes"
	@echo "make install           put the extension where the server finds it"
	@echo "make install-programs  put gateway, relay and their manual pages into $(PREFIX)"
	@echo "make install-deps      install the Debian packages that all this needs"
	@echo "make dist              a zip and a tarball of what is committed"
	@echo "make deb               Debian packages, in $(DIST_DIR)/"
	@echo "make clean             remove what was built"
