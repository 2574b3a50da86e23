/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints: drops, use of keys, life of links and sessions. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM fips

#if !defined(_FIPS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _FIPS_TRACE_H

#include <linux/netdevice.h>
#include <linux/tracepoint.h>

#include "device.h"
#include "link.h"
#include "session.h"
#include "stats.h"

TRACE_EVENT(fips_drop,
	TP_PROTO(const struct fips_device *fips, u32 reason, u64 n),
	TP_ARGS(fips, reason, n),
	TP_STRUCT__entry(
		__field(int, ifindex)
		__field(u32, reason)
		__field(u64, n)
	),
	TP_fast_assign(
		__entry->ifindex = fips->dev->ifindex;
		__entry->reason = reason;
		__entry->n = n;
	),
	TP_printk("ifindex=%d reason=%u n=%llu", __entry->ifindex, __entry->reason, __entry->n)
);

DECLARE_EVENT_CLASS(fips_link_class,
	TP_PROTO(const struct fips_link *link, u32 value),
	TP_ARGS(link, value),
	TP_STRUCT__entry(
		__field(int, ifindex)
		__field(u32, id)
		__field(u32, value)
	),
	TP_fast_assign(
		__entry->ifindex = link->fips->dev->ifindex;
		__entry->id = link->id;
		__entry->value = value;
	),
	TP_printk("ifindex=%d link=%u value=%u", __entry->ifindex, __entry->id, __entry->value)
);

/* value: enum fips_link_state reached */
DEFINE_EVENT(fips_link_class, fips_link_state,
	TP_PROTO(const struct fips_link *link, u32 value),
	TP_ARGS(link, value)
);

/* value: 0 */
DEFINE_EVENT(fips_link_class, fips_link_dead,
	TP_PROTO(const struct fips_link *link, u32 value),
	TP_ARGS(link, value)
);

/* value: enum fips_key_slot */
DEFINE_EVENT(fips_link_class, fips_link_key,
	TP_PROTO(const struct fips_link *link, u32 value),
	TP_ARGS(link, value)
);

DECLARE_EVENT_CLASS(fips_session_class,
	TP_PROTO(const struct fips_session *session, u32 value),
	TP_ARGS(session, value),
	TP_STRUCT__entry(
		__field(int, ifindex)
		__array(u8, ipv6, 16)
		__field(u32, value)
	),
	TP_fast_assign(
		__entry->ifindex = session->fips->dev->ifindex;
		memcpy(__entry->ipv6, &session->ipv6, 16);
		__entry->value = value;
	),
	TP_printk("ifindex=%d session=%pI6c value=%u", __entry->ifindex, __entry->ipv6,
		  __entry->value)
);

/* value: 0 */
DEFINE_EVENT(fips_session_class, fips_session_new,
	TP_PROTO(const struct fips_session *session, u32 value),
	TP_ARGS(session, value)
);

/* value: 0 */
DEFINE_EVENT(fips_session_class, fips_session_dead,
	TP_PROTO(const struct fips_session *session, u32 value),
	TP_ARGS(session, value)
);

/* value: enum fips_key_slot */
DEFINE_EVENT(fips_session_class, fips_session_key,
	TP_PROTO(const struct fips_session *session, u32 value),
	TP_ARGS(session, value)
);

#endif /* _FIPS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
