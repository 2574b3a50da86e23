// SPDX-License-Identifier: MIT
/*
 * Locked slabs for secrets.
 *
 * The range is reserved once without access; slabs are opened at its front one
 * after the other, so that neighbours merge into one mapping. All bookkeeping
 * lies outside of the range: an overrun of a cell can't forge a free list, and
 * a freed cell is nothing but zeros.
 */
#include "secret.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SLAB_SIZE	16384u
#define CELL_MIN	32u
#define N_CLASSES	6	/* 32, 64, … 1024 */
#define MAP_WORDS	(SLAB_SIZE / CELL_MIN / 64)

#if UINTPTR_MAX > 0xffffffffu
#define RANGE_SIZE	((size_t)1 << 30)
#else
#define RANGE_SIZE	((size_t)1 << 24)
#endif

/**
 * struct slab - bookkeeping of one slab
 * @cell: cell size, 0 while the slab belongs to no class
 * @used: cells in use
 * @listed: on the list of its class, since it has room
 * @next: index of the next slab on that list, plus one; 0 ends it
 * @map: bit set = cell in use
 */
struct slab {
	u16 cell;
	u16 used;
	bool listed;
	u32 next;
	u64 map[MAP_WORDS];
};

/**
 * struct fips_secrets - all slabs
 * @base: reserved range
 * @slabs: bookkeeping, one for each opened slab
 * @n_slabs: opened so far
 * @room: size of @slabs
 * @head: per class, list of slabs with room (index plus one)
 * @spare: list of slabs without a cell in use, free for any class
 * @used: cells in use
 * @locked: every mlock() succeeded
 */
struct fips_secrets {
	u8 *base;
	struct slab *slabs;
	u32 n_slabs;
	u32 room;
	u32 head[N_CLASSES];
	u32 spare;
	size_t used;
	bool locked;
};

static unsigned int class_of(size_t len)
{
	unsigned int class = 0;

	while (((size_t)CELL_MIN << class) < len)
		class++;
	return class;
}

static u32 cells_of(const struct slab *slab)
{
	return SLAB_SIZE / slab->cell;
}

static u32 *head_of(struct fips_secrets *secrets, const struct slab *slab)
{
	return &secrets->head[class_of(slab->cell)];
}

static void slab_list(struct fips_secrets *secrets, struct slab *slab)
{
	u32 *head = head_of(secrets, slab);

	slab->next = *head;
	slab->listed = true;
	*head = (u32)(slab - secrets->slabs) + 1;
}

static int slabs_grow(struct fips_secrets *secrets)
{
	u32 room = secrets->room ? 2 * secrets->room : 8;
	struct slab *slabs;

	if (secrets->n_slabs < secrets->room)
		return 0;
	slabs = realloc(secrets->slabs, room * sizeof(*slabs));
	if (!slabs)
		return -ENOMEM;
	secrets->slabs = slabs;
	secrets->room = room;
	return 0;
}

/* Open the next slab of the range and put it on the spare list. */
static int slab_open(struct fips_secrets *secrets)
{
	u8 *mem = secrets->base + (size_t)secrets->n_slabs * SLAB_SIZE;
	struct slab *slab;

	if ((size_t)(secrets->n_slabs + 1) * SLAB_SIZE > RANGE_SIZE || slabs_grow(secrets))
		return -ENOMEM;
	if (mprotect(mem, SLAB_SIZE, PROT_READ | PROT_WRITE))
		return -ENOMEM;
	if (mlock(mem, SLAB_SIZE))
		secrets->locked = false;
	slab = &secrets->slabs[secrets->n_slabs++];
	memset(slab, 0, sizeof(*slab));
	slab->next = secrets->spare;
	secrets->spare = secrets->n_slabs;
	return 0;
}

static struct slab *slab_with_room(struct fips_secrets *secrets, unsigned int class)
{
	struct slab *slab;

	if (secrets->head[class])
		return &secrets->slabs[secrets->head[class] - 1];
	if (!secrets->spare && slab_open(secrets))
		return NULL;
	slab = &secrets->slabs[secrets->spare - 1];
	secrets->spare = slab->next;
	slab->cell = (u16)(CELL_MIN << class);
	slab_list(secrets, slab);
	return slab;
}

static u32 slab_take(struct slab *slab)
{
	u32 word = 0, bit;

	while (!~slab->map[word])
		word++;
	bit = (u32)__builtin_ctzll(~slab->map[word]);
	slab->map[word] |= (u64)1 << bit;
	slab->used++;
	return word * 64 + bit;
}

void *fips_secret_alloc(struct fips_secrets *secrets, size_t len)
{
	struct slab *slab;
	u32 cell;

	if (!len || len > FIPS_SECRET_MAX)
		return NULL;
	slab = slab_with_room(secrets, class_of(len));
	if (!slab)
		return NULL;
	cell = slab_take(slab);
	if (slab->used == cells_of(slab)) {
		*head_of(secrets, slab) = slab->next;
		slab->listed = false;
	}
	secrets->used++;
	return secrets->base + (size_t)(slab - secrets->slabs) * SLAB_SIZE +
	       (size_t)cell * slab->cell;
}

static void slab_unlist(struct fips_secrets *secrets, struct slab *slab)
{
	u32 self = (u32)(slab - secrets->slabs) + 1;
	u32 *link = head_of(secrets, slab);

	while (*link != self)
		link = &secrets->slabs[*link - 1].next;
	*link = slab->next;
	slab->listed = false;
}

void fips_secret_free(struct fips_secrets *secrets, void *mem)
{
	struct slab *slab;
	size_t off, cell;

	if (!mem)
		return;
	off = (size_t)((u8 *)mem - secrets->base);
	if (off >= (size_t)secrets->n_slabs * SLAB_SIZE)
		abort();
	slab = &secrets->slabs[off / SLAB_SIZE];
	off %= SLAB_SIZE;
	if (!slab->cell || off % slab->cell)
		abort();
	cell = off / slab->cell;
	if (!(slab->map[cell / 64] >> (cell % 64) & 1))
		abort();
	sodium_memzero(mem, slab->cell);
	slab->map[cell / 64] &= ~((u64)1 << (cell % 64));
	slab->used--;
	secrets->used--;
	if (!slab->listed)
		slab_list(secrets, slab);
	/* The last slab of a class stays with it: a single cell must not pay for the move. */
	if (!slab->used && (*head_of(secrets, slab) != slab - secrets->slabs + 1 || slab->next)) {
		slab_unlist(secrets, slab);
		slab->cell = 0;
		slab->next = secrets->spare;
		secrets->spare = (u32)(slab - secrets->slabs) + 1;
	}
}

int fips_secrets_new(struct fips_secrets **out)
{
	struct fips_secrets *secrets;
	void *base;

	if (sodium_init() < 0)
		return -ENOMEM;
	secrets = calloc(1, sizeof(*secrets));
	if (!secrets)
		return -ENOMEM;
	base = mmap(NULL, RANGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		    0);
	if (base == MAP_FAILED) {
		free(secrets);
		return -ENOMEM;
	}
	madvise(base, RANGE_SIZE, MADV_DONTDUMP);
	secrets->base = base;
	secrets->locked = true;
	*out = secrets;
	return 0;
}

void fips_secrets_destroy(struct fips_secrets *secrets)
{
	if (!secrets)
		return;
	if (secrets->n_slabs)
		sodium_memzero(secrets->base, (size_t)secrets->n_slabs * SLAB_SIZE);
	munmap(secrets->base, RANGE_SIZE);
	free(secrets->slabs);
	free(secrets);
}

bool fips_secrets_locked(const struct fips_secrets *secrets)
{
	return secrets->locked;
}

size_t fips_secrets_used(const struct fips_secrets *secrets)
{
	return secrets->used;
}
