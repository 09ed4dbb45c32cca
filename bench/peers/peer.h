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

static inline void *new_socket(void *context, int type)
{
    void *socket = zmq_socket(context, type);
    check(socket != NULL, "socket");
    return socket;
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

/* The keys of child.mjs. */
#define SERVER_PUBLIC "V]SP=g6Jx9*PO]aP^tO[a?WL#2zYPeb*)Za].tgA"
#define SERVER_SECRET "fTD)FES-gsGxbzTig/y{mq!?CsxB/YwxJlw@wDuh"
#define CLIENT_PUBLIC "*xRfms=3w21v#SpaWAPQBlAEwAJXy}EV^JD?ufG7"
#define CLIENT_SECRET "np$2p&eI!UY5m@92<%8v2@m[FpaZSBNQUNPEx=%*"

static inline void set_key(void *socket, int option, const char *key)
{
    check(zmq_setsockopt(socket, option, key, strlen(key) + 1) == 0, "key");
}

static inline void serve_curve(void *socket)
{
    int yes = 1;
    check(zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &yes, sizeof yes) == 0, "CURVE");
    set_key(socket, ZMQ_CURVE_SECRETKEY, SERVER_SECRET);
}

static inline void use_curve(void *socket)
{
    set_key(socket, ZMQ_CURVE_SERVERKEY, SERVER_PUBLIC);
    set_key(socket, ZMQ_CURVE_PUBLICKEY, CLIENT_PUBLIC);
    set_key(socket, ZMQ_CURVE_SECRETKEY, CLIENT_SECRET);
}

/* Waits until all that was sent is on its way. */
static inline void close_and_flush(void *context, void *socket)
{
    zmq_close(socket);
    zmq_ctx_term(context);
}

#endif
