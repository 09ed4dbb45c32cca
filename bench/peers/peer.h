/* What the libzmq rivals share: clocks, the way they talk to the bench, and dying loudly. */
#ifndef PEER_H
#define PEER_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* A run takes about a second; a program that lives this long has lost its bench. */
enum { LIFETIME_SECONDS = 120 };

static inline void limit_lifetime(void)
{
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    alarm(LIFETIME_SECONDS);
}

static inline void check(int ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(1);
}

static inline double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* All threads of the process, libzmq's I/O threads among them. */
static inline double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Binds, and prints under which address: the port was a wildcard. */
static inline void bind_and_print(void *socket, const char *endpoint)
{
    char bound[256];
    size_t length = sizeof bound;
    check(zmq_bind(socket, endpoint) == 0, endpoint);
    check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &length) == 0, "last endpoint");
    printf("%s", bound);
}

/* Binds a socket, and another one beside it unless it is the same, and tells the bench where. */
static inline void bind_and_tell(void *socket, void *other, const char *endpoint)
{
    char beside[256];
    printf("ready ");
    bind_and_print(socket, endpoint);
    if (other != socket) {
        snprintf(beside, sizeof beside, strncmp(endpoint, "ipc://", 6) == 0 ? "%s.2" : "%s", endpoint);
        printf(",");
        bind_and_print(other, beside);
    }
    printf("\n");
    fflush(stdout);
}

/* Waits until all that was sent is on its way. */
static inline void close_and_flush(void *context, void *socket)
{
    zmq_close(socket);
    zmq_ctx_term(context);
}

#endif
