/* SPDX-License-Identifier: MIT */
/*
 * Texts of the family's enums, as counters and tables show them.
 */
#ifndef FIPS_NL_NAMES_H
#define FIPS_NL_NAMES_H

#include <fips/types.h>

/* "rx_replay"; NULL beyond the last reason this build knows. */
const char *fips_drop_name(u32 reason);
const char *fips_key_slot_name(u32 slot);
const char *fips_link_state_name(u32 state);
const char *fips_transport_type_name(u32 type);

#endif /* FIPS_NL_NAMES_H */
