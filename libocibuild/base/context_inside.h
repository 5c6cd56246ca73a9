/* base/context_inside.h — the fields of an ocib_context, for context.c and event_pump.c only. */
#ifndef OB_BASE_CONTEXT_INSIDE_H
#define OB_BASE_CONTEXT_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include "base/context.h"

typedef struct ob_queued_event ob_queued_event;

struct ocib_context {
	/* Fixed once made. */
	ocib_event_fn on_event;
	void *user;
	char *worker_path;
	char *docker_config_dir;
	uint32_t jobs;
	bool offline;
	bool debug;
	int cancel_fd;
	ob_registry_access *registries; /* the last one told comes first */

	atomic_bool canceled;
	atomic_uint_least32_t last_step_id;

	/* The pump: under lock; changed says that any of it did. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool pumping;
	pthread_t owner; /* who delivers, while pumping */
	ob_queued_event *first, *last;
	size_t queued_bytes;
	unsigned wakes;
};

#endif
