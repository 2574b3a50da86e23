// SPDX-License-Identifier: MIT
/*
 * Intel's multi-buffer crypto library (libipsec-mb) as accelerator: loaded at run
 * time, if it is installed and this machine has what makes it fast. Without its
 * header at build time there is no accelerator.
 */
#include <stdlib.h>
#include <string.h>

#include "aead.h"
#include "aead_engine.h"

#if defined(__x86_64__) && __has_include("intel-ipsec-mb.h")
#include <dlfcn.h>
#include <intel-ipsec-mb.h>
#include <link.h>
#include <sys/mman.h>

#define FIPS_IMB_LIBRARY	"libIPSec_MB.so.1"
#define FIPS_IMB_NEEDS		(IMB_FEATURE_AVX512_SKX | IMB_FEATURE_AVX512_IFMA)

/**
 * struct fips_aead_engine - one job manager
 * @lib: handle of the library
 * @mgr: its manager; jobs of this cipher are done when submitted
 * @free_mgr: frees it
 */
struct fips_aead_engine {
	void *lib;
	IMB_MGR *mgr;
	void (*free_mgr)(IMB_MGR *mgr);
};

/*
 * Initialising runs through code of all ciphers, 3 MiB of it. Unmap what was
 * mapped in passing; what is needed comes back by itself, from the page cache.
 */
static int fips_imb_trim(struct dl_phdr_info *info, size_t size, void *arg)
{
	const Elf64_Phdr *p;
	uintptr_t from, to;
	int i;

	(void)size;
	(void)arg;
	if (!info->dlpi_name || !strstr(info->dlpi_name, "libIPSec_MB"))
		return 0;
	for (i = 0; i < info->dlpi_phnum; i++) {
		p = &info->dlpi_phdr[i];
		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || p->p_flags & PF_W)
			continue;
		from = (info->dlpi_addr + p->p_vaddr) & ~4095UL;
		to = (info->dlpi_addr + p->p_vaddr + p->p_memsz + 4095) & ~4095UL;
		madvise((void *)from, to - from, MADV_DONTNEED);
	}
	return 1;
}

static bool fips_imb_open(struct fips_aead_engine *e)
{
	IMB_MGR *(*alloc)(uint64_t flags);
	void (*init)(IMB_MGR *mgr);
	unsigned int (*version)(void);

	alloc = (IMB_MGR *(*)(uint64_t))dlsym(e->lib, "alloc_mb_mgr");
	init = (void (*)(IMB_MGR *))dlsym(e->lib, "init_mb_mgr_avx512");
	version = (unsigned int (*)(void))dlsym(e->lib, "imb_get_version");
	e->free_mgr = (void (*)(IMB_MGR *))dlsym(e->lib, "free_mb_mgr");
	/* The manager's layout is that of the header we were built with. */
	if (!alloc || !init || !version || !e->free_mgr || version() != IMB_VERSION_NUM)
		return false;
	e->mgr = alloc(0);
	if (!e->mgr)
		return false;
	if ((e->mgr->features & FIPS_IMB_NEEDS) != FIPS_IMB_NEEDS)
		return false;
	init(e->mgr);
	dl_iterate_phdr(fips_imb_trim, NULL);
	return !e->mgr->imb_errno;
}

struct fips_aead_engine *fips_aead_engine_new(void)
{
	struct fips_aead_engine *e;

	if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl") ||
	    !__builtin_cpu_supports("avx512ifma"))
		return NULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->lib = dlopen(FIPS_IMB_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (e->lib && fips_imb_open(e))
		return e;
	fips_aead_engine_free(e);
	return NULL;
}

void fips_aead_engine_free(struct fips_aead_engine *e)
{
	if (!e)
		return;
	if (e->mgr)
		e->free_mgr(e->mgr);
	if (e->lib)
		dlclose(e->lib);
	free(e);
}

void fips_engine_crypt(struct fips_aead_engine *e, const u8 *key, bool seal, const u8 *nonce,
		       const u8 *ad, size_t ad_len, u8 *out, const u8 *in, size_t len, u8 *tag)
{
	IMB_JOB *j = IMB_GET_NEXT_JOB(e->mgr);

	j->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	j->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	j->cipher_direction = seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
	j->chain_order = seal ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	j->enc_keys = key;
	j->dec_keys = key;
	j->key_len_in_bytes = FIPS_KEY_LEN;
	j->iv = nonce;
	j->iv_len_in_bytes = FIPS_NONCE_LEN;
	j->u.CHACHA20_POLY1305.aad = ad;
	j->u.CHACHA20_POLY1305.aad_len_in_bytes = ad_len;
	j->src = in;
	j->dst = out;
	j->cipher_start_src_offset_in_bytes = 0;
	j->msg_len_to_cipher_in_bytes = len;
	j->hash_start_src_offset_in_bytes = 0;
	j->msg_len_to_hash_in_bytes = len;
	j->auth_tag_output = tag;
	j->auth_tag_output_len_in_bytes = FIPS_TAG_LEN;
	IMB_SUBMIT_JOB_NOCHECK(e->mgr);
}

#else

struct fips_aead_engine *fips_aead_engine_new(void)
{
	return NULL;
}

void fips_aead_engine_free(struct fips_aead_engine *e)
{
	(void)e;
}

void fips_engine_crypt(struct fips_aead_engine *e, const u8 *key, bool seal, const u8 *nonce,
		       const u8 *ad, size_t ad_len, u8 *out, const u8 *in, size_t len, u8 *tag)
{
	(void)e;
	(void)key;
	(void)seal;
	(void)nonce;
	(void)ad;
	(void)ad_len;
	(void)out;
	(void)in;
	(void)len;
	(void)tag;
}

#endif
