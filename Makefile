# SPDX-License-Identifier: MIT
#
# One non-recursive Makefile. Objects and programs land in build/ (or in O=).
# `make help` lists the targets.

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
# The kernel's make must not take our O=, KOUT= and the like for its own.
MAKEOVERRIDES :=

# SANITIZE=1 builds in a folder of its own, so that both trees stay warm.
O ?= build$(if $(filter 1,$(SANITIZE)),-sanitize)
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
DESTDIR ?=
PKG_CONFIG ?= pkg-config
CC = gcc
CLANG ?= clang
AR = ar
VERSION := 0.1.0
REV := $(shell git rev-parse --short=10 HEAD 2>/dev/null || echo unknown)

Q = $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),@:,@printf '  %-7s %s\n')

.PHONY: all
all: userspace kmod

# ---------------------------------------------------------------- packages

# pkg-config name:Debian package
PKGS := libsodium:libsodium-dev libsecp256k1:libsecp256k1-dev libgcrypt:libgcrypt20-dev \
	yaml-0.1:libyaml-dev libuv:libuv1-dev jansson:libjansson-dev ldns:libldns-dev \
	libnl-3.0:libnl-3-dev libnl-genl-3.0:libnl-genl-3-dev libnl-route-3.0:libnl-route-3-dev
PKG_NAMES := $(foreach p,$(PKGS),$(firstword $(subst :, ,$p)))

$(O)/packages.mk: Makefile
	$(Q)mkdir -p $(O)
	$(Q)command -v $(PKG_CONFIG) >/dev/null || { \
		echo "fips: pkg-config is missing: apt-get install pkg-config" >&2; exit 1; }
	$(Q)missing=; for p in $(PKGS); do \
		$(PKG_CONFIG) --exists $${p%%:*} || missing="$$missing $${p#*:}"; done; \
	[ -e /usr/include/uthash.h ] || missing="$$missing uthash-dev"; \
	if [ -n "$$missing" ]; then \
		echo "fips: missing packages: apt-get install$$missing" >&2; exit 1; fi
	$(Q){ echo "PKG_CFLAGS := $$($(PKG_CONFIG) --cflags $(PKG_NAMES))"; \
	      for p in $(PKG_NAMES); do \
		echo "LIBS_$$p := $$($(PKG_CONFIG) --libs $$p)"; done; } >$@

ifeq ($(filter clean help install-deps,$(MAKECMDGOALS)),)
-include $(O)/packages.mk
endif

# --------------------------------------------------------------- userspace

CSTD := -std=gnu11 -D_GNU_SOURCE
WARN := -Wall -Wextra -Werror
INCLUDES := -Iinclude -Iuserspace -Iuserspace/libfips -Iuserspace/dataplane -Iuserspace/nl
DEFS := -DFIPS_VERSION='"$(VERSION)"' -DFIPS_SYSCONFDIR='"$(SYSCONFDIR)"'
OPT ?= -O2 -g
, := ,
HARDEN := -fstack-protector-strong $(if $(filter 1,$(SANITIZE)),,-D_FORTIFY_SOURCE=2) -fPIE
SAN := $(if $(filter 1,$(SANITIZE)),-fsanitize=address$(,)undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer)
# The simulator must compute the same everywhere, so no product is fused with a sum.
CFLAGS_ALL = $(CSTD) $(OPT) $(WARN) $(HARDEN) $(SAN) -ffp-contract=off $(INCLUDES) $(DEFS) \
	$(PKG_CFLAGS) $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now $(SAN) $(LDFLAGS)

LIBS := $(foreach p,libsodium libsecp256k1 libgcrypt yaml-0.1 libuv jansson ldns libnl-route-3.0 \
	libnl-genl-3.0 libnl-3.0,$$(LIBS_$(p))) -lpthread -lm
LIBS_ALL = $(eval LIBS_ALL := $(LIBS))$(LIBS_ALL)

objs = $(patsubst %.c,$(O)/obj/%.o,$(1))

LIBFIPS := $(wildcard userspace/libfips/*.c)
LIBDP := $(wildcard userspace/dataplane/*.c)
LIBNL := $(wildcard userspace/nl/*.c)
FIPSD := $(wildcard userspace/fipsd/*.c)
FIPSCTL := $(wildcard userspace/fipsctl/*.c)
UNIT := $(wildcard selftests/unit/test_*.c)
UNIT_HELP := $(filter-out $(UNIT),$(wildcard selftests/unit/*.c))
FUZZ := $(wildcard selftests/fuzz/fuzz_*.c)
SIM := $(wildcard selftests/sim/*.c)
ARCHIVES := $(O)/libfipsd.a $(O)/libfipsdp.a $(O)/libfipsnl.a $(O)/libfips.a
PROGRAMS := $(O)/fipsd $(O)/fipsctl
# Guests of the QEMU suite run small programs of their own.
GUEST := $(patsubst selftests/qemu/%.c,$(O)/qemu/%,$(wildcard selftests/qemu/*.c))

.PHONY: userspace
userspace: $(PROGRAMS)

$(O)/obj/%.o: %.c $(O)/packages.mk
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

# The revision is shown by --version only; one file knows it.
$(O)/obj/userspace/fipsd/version.o: DEFS += -DFIPS_REV='"$(REV)"'

$(O)/libfips.a: $(call objs,$(LIBFIPS))
$(O)/libfipsdp.a: $(call objs,$(LIBDP))
$(O)/libfipsnl.a: $(call objs,$(LIBNL))
$(O)/libfipsd.a: $(call objs,$(filter-out userspace/fipsd/main.c,$(FIPSD)))
$(O)/libfipsunit.a: $(call objs,$(UNIT_HELP))
$(O)/%.a:
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(O)/fipsd: $(O)/obj/userspace/fipsd/main.o $(ARCHIVES)
$(O)/fipsctl: $(call objs,$(FIPSCTL)) $(ARCHIVES)
$(PROGRAMS):
	$(say) LD $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)

# fips.yaml(5) is made of the key table itself.
$(O)/config-man: $(O)/obj/userspace/configman/main.o $(ARCHIVES)
	$(say) LD $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)

.PHONY: config-man
config-man: $(O)/config-man
	$(Q)$(O)/config-man <Documentation/man/fips.yaml.5.in >$(O)/fips.yaml.5.rst
	$(Q)cmp -s $(O)/fips.yaml.5.rst Documentation/man/fips.yaml.5.rst || \
		cp $(O)/fips.yaml.5.rst Documentation/man/fips.yaml.5.rst

$(GUEST): $(O)/qemu/%: $(O)/obj/selftests/qemu/%.o $(ARCHIVES)
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)

.PHONY: guest-programs
guest-programs: $(GUEST)

# What the scenarios in namespaces measure with.
NET := $(patsubst selftests/net/%.c,$(O)/net/%,$(wildcard selftests/net/*.c))

$(NET): $(O)/net/%: $(O)/obj/selftests/net/%.o
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^

.PHONY: net-programs
net-programs: $(NET)

# The scripted peer that attacks a node.
HOSTILE := $(wildcard selftests/hostile/*.c)

.PHONY: hostile
hostile: $(O)/hostile
$(O)/hostile: $(call objs,$(HOSTILE)) $(O)/libfips.a
	$(say) LD $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)

# ------------------------------------------------------------------ module

# KDIR, or the running kernel's headers, or else the newest installed.
KDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	$(shell ls -dv /lib/modules/*/build /usr/src/linux-headers-*-$(shell dpkg \
	--print-architecture 2>/dev/null) 2>/dev/null | tac))
# Each kernel gets a folder of its own, or two guests' modules would mix.
KOUT ?= $(O)/kmod/$(notdir $(patsubst %/build,%,$(KDIR)))
KMOD_SRC := $(wildcard Kbuild kmod/Kbuild kmod/*.[ch] kmod/tests/*.[ch] include/fips/*.h include/uapi/linux/*.h)
KVARS ?=

.PHONY: kmod
ifeq ($(strip $(KDIR)),)
kmod:
	@echo "fips: no kernel headers found, fips.ko is not built (apt-get install linux-headers-$$(dpkg --print-architecture 2>/dev/null || echo ARCH), or KDIR=)"
else
kmod: $(O)/fips.ko

# Out-of-tree modules build in their source folder: give each kernel a shadow of it.
# O= is ours and means something else there.
$(KOUT)/kmod/fips.ko: $(KMOD_SRC)
	@echo "  KMOD    fips.ko for $(KDIR)"
	$(Q)mkdir -p $(KOUT)
	$(Q)for f in $(KMOD_SRC); do mkdir -p $(KOUT)/$$(dirname $$f); \
		cmp -s $$f $(KOUT)/$$f || cp $$f $(KOUT)/$$f; done
	$(Q)$(MAKE) -C $(KDIR) M=$(abspath $(KOUT)) $(if $(filter 1,$(V)),V=1,-s) $(KVARS) modules
	$(Q)touch $@

$(O)/fips.ko: $(KOUT)/kmod/fips.ko
	$(Q)cp $< $@
endif

# ------------------------------------------------------------------- tests

UNIT_BIN := $(patsubst selftests/unit/%.c,$(O)/tests/%,$(UNIT))
CMOCKA_LIBS = $(shell $(PKG_CONFIG) --libs cmocka)

$(UNIT_BIN): $(O)/tests/%: $(O)/obj/selftests/unit/%.o $(O)/libfipsunit.a $(ARCHIVES)
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL) $(CMOCKA_LIBS)

.PHONY: unit-programs
unit-programs: $(UNIT_BIN)

# The linker lets the simulator see every seal, for its invariant on keys and counters.
SIM_WRAP := -Wl,--wrap=fips_aead_init -Wl,--wrap=fips_aead_seal

.PHONY: sim
sim: $(O)/fipssim
$(O)/fipssim: $(call objs,$(SIM)) $(O)/libfipsdp.a $(O)/libfips.a
	$(say) LD $@
	$(Q)$(CC) $(LDFLAGS_ALL) $(SIM_WRAP) -o $@ $^ $(LIBS_ALL)

# Fuzzers: everything once more under clang with coverage.
FO := $(O)/fuzz
FUZZ_BIN := $(patsubst selftests/fuzz/%.c,$(FO)/%,$(FUZZ))
FUZZ_CFLAGS = $(CSTD) -O1 -g -Wall -Wextra -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -DFIPS_FUZZ $(INCLUDES) $(DEFS) $(PKG_CFLAGS)
FUZZ_SRC := $(LIBFIPS) $(LIBDP) $(LIBNL) $(filter-out userspace/fipsd/main.c,$(FIPSD))
fuzz_objs := $(patsubst %.c,$(FO)/obj/%.o,$(FUZZ_SRC))

$(FO)/obj/%.o: %.c $(O)/packages.mk
	$(say) FUZZCC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -MMD -MP -c $< -o $@
$(FO)/obj/userspace/fipsd/version.o: DEFS += -DFIPS_REV='"$(REV)"'
$(FO)/libfuzz.a: $(fuzz_objs)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(FUZZ_BIN): $(FO)/%: $(FO)/obj/selftests/fuzz/%.o $(FO)/libfuzz.a
	$(say) LD $@
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS_ALL)

.PHONY: fuzz-programs
fuzz-programs: $(FUZZ_BIN)

.PHONY: demo test test-unit test-fuzz test-net test-qemu test-sim test-long bench check
demo:
	$(Q)scripts/demo
test:
	$(Q)scripts/test
test-unit test-fuzz test-net test-qemu test-sim test-long:
	$(Q)scripts/test $(@:test-%=%)
bench: userspace
	$(Q)scripts/bench
check:
	$(Q)scripts/check

# ----------------------------------------------------------------- install

MAN := $(patsubst Documentation/man/%.rst,$(O)/man/%,$(wildcard Documentation/man/*.rst))
$(O)/man/%: Documentation/man/%.rst
	$(say) MAN $@
	$(Q)mkdir -p $(@D)
	$(Q)command -v rst2man >/dev/null || { \
		echo "fips: rst2man is missing: apt-get install python3-docutils" >&2; exit 1; }
	$(Q)rst2man $< $@

.PHONY: man
man: $(MAN)

BIN_DIR = $(DESTDIR)$(PREFIX)/bin
SBIN_DIR = $(DESTDIR)$(PREFIX)/sbin
MAN_DIR = $(DESTDIR)$(PREFIX)/share/man
MODULE_REL = $(notdir $(patsubst %/build,%,$(KDIR)))

.PHONY: install uninstall
install: userspace man
	install -D -m 755 $(O)/fipsd $(SBIN_DIR)/fipsd
	install -D -m 755 $(O)/fipsctl $(BIN_DIR)/fipsctl
	for m in $(MAN); do install -D -m 644 $$m $(MAN_DIR)/man$${m##*.}/$${m##*/}; done
	mkdir -p $(DESTDIR)$(UNITDIR)
	sed 's,@SBINDIR@,$(PREFIX)/sbin,' packaging/systemd/fips.service >$(DESTDIR)$(UNITDIR)/fips.service
	[ -e $(DESTDIR)$(SYSCONFDIR)/fips/fips.yaml ] || \
		install -D -m 600 packaging/fips.yaml $(DESTDIR)$(SYSCONFDIR)/fips/fips.yaml
	if [ -e $(O)/fips.ko ]; then \
		rel=$$(modinfo -F vermagic $(O)/fips.ko | cut -d' ' -f1); \
		install -D -m 644 $(O)/fips.ko $(DESTDIR)/lib/modules/$$rel/updates/fips.ko; \
		[ -n "$(DESTDIR)" ] || depmod $$rel; fi

uninstall:
	rm -f $(SBIN_DIR)/fipsd $(BIN_DIR)/fipsctl $(DESTDIR)$(UNITDIR)/fips.service
	for m in $(MAN); do rm -f $(MAN_DIR)/man$${m##*.}/$${m##*/}; done
	rm -f $(DESTDIR)/lib/modules/*/updates/fips.ko

# -------------------------------------------------------------------- rest

.PHONY: compile_commands clean distclean help
compile_commands: compile_commands.json
compile_commands.json: Makefile $(O)/packages.mk
	$(say) GEN $@
	$(Q){ echo '['; sep=; for f in $(LIBFIPS) $(LIBDP) $(LIBNL) $(FIPSD) $(FIPSCTL) $(UNIT); do \
		printf '%s{"directory":"%s","file":"%s","arguments":["$(CC)"' "$$sep" "$(CURDIR)" "$$f"; \
		for a in $(CSTD) $(WARN) $(INCLUDES) $(PKG_CFLAGS) -c $$f; do printf ',"%s"' "$$a"; done; \
		printf ']}\n'; sep=,; done; echo ']'; } >$@

# Fetched kernels stay: they are somebody else's and slow to get (distclean takes them too).
clean:
	[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name kernels -exec rm -rf {} +
	rm -rf build-sanitize compile_commands.json

distclean: clean
	rm -rf build

help:
	@echo 'make                all: userspace programs and fips.ko, into build/'
	@echo 'make userspace      fipsd and fipsctl only'
	@echo 'make kmod           fips.ko; KDIR=... picks the kernel (now: $(or $(KDIR),none))'
	@echo 'make sim            the network simulator, build/fipssim'
	@echo 'make demo           two nodes talk, shown step by step (root)'
	@echo 'make test           everything that CI runs: test-unit test-fuzz test-net test-qemu (root)'
	@echo 'make test-sim       the simulator and its swarm'
	@echo 'make test-long      debug kernel and long fuzzing (hours)'
	@echo 'make bench          throughput beside WireGuard and others, table and build/bench/results.json'
	@echo 'make check          style and staleness: checkpatch, sparse, kernel-doc, netlink'
	@echo 'make install        DESTDIR= PREFIX= as usual; make uninstall'
	@echo 'make config-man     Documentation/man/fips.yaml.5.rst from the key table'
	@echo 'make compile_commands clean distclean help'
	@echo 'V=1 shows commands, SANITIZE=1 builds with ASan and UBSan into build-sanitize/'

-include $(shell [ -d $(O)/obj ] && find $(O)/obj -name '*.d' 2>/dev/null)
-include $(shell [ -d $(FO)/obj ] && find $(FO)/obj -name '*.d' 2>/dev/null)
