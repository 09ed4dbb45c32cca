/* PAIR throughput through libzmq, in C: what bench/peers/pair-thr.mjs does, in the cheapest way that libzmq offers.
 *
 *   pair_thr receive|send ENDPOINT SIZE COUNT RING
 *
 * Message i carries i % RING in its first four bytes. The receiver binds, checks and times; at the end it answers "done". */
#include "peer.h"

/* Larger messages are passed by reference, as npm zeromq does and as we do. */
enum { COPY_UP_TO = 128 };

static void *start_socket(void **context)
{
    *context = zmq_ctx_new();
    check(*context != NULL, "context");
    void *socket = zmq_socket(*context, ZMQ_PAIR);
    check(socket != NULL, "socket");
    return socket;
}

static void check_message(zmq_msg_t *message, size_t size, uint32_t expected, long index)
{
    uint32_t stamp = 0;
    if (zmq_msg_size(message) == size) {
        memcpy(&stamp, zmq_msg_data(message), sizeof stamp);
        if (stamp == expected) return;
    }
    fprintf(stderr, "message %ld: %zu bytes, stamp %u, expected %zu bytes, stamp %u\n", index, zmq_msg_size(message), stamp,
            size, expected);
    exit(1);
}

static void receive_all(const char *endpoint, size_t size, long count, uint32_t ring)
{
    void *context, *socket = start_socket(&context);
    bind_and_tell(socket, endpoint);

    zmq_msg_t message;
    zmq_msg_init(&message);
    double cpu = cpu_seconds(), start = 0;
    uint32_t expected = 0;
    for (long i = 0; i < count; i++) {
        check(zmq_msg_recv(&message, socket, 0) >= 0, "receive");
        if (i == 0) start = now_seconds();
        check_message(&message, size, expected, i);
        if (++expected == ring) expected = 0;
    }
    double seconds = now_seconds() - start;
    cpu = cpu_seconds() - cpu;
    zmq_msg_close(&message);

    check(zmq_send(socket, "done", 4, 0) == 4, "answer");
    printf("{\"seconds\":%.9f,\"cpuSeconds\":%.6f}\n", seconds, cpu);
    close_and_flush(context, socket);
}

static void send_all(const char *endpoint, size_t size, long count, uint32_t ring)
{
    char **bodies = calloc(ring, sizeof *bodies);
    for (uint32_t i = 0; i < ring; i++) {
        bodies[i] = calloc(1, size);
        memcpy(bodies[i], &i, sizeof i);
    }

    void *context, *socket = start_socket(&context);
    check(zmq_connect(socket, endpoint) == 0, endpoint);
    double cpu = cpu_seconds();
    uint32_t next = 0;
    for (long i = 0; i < count; i++) {
        int sent = size <= COPY_UP_TO ? zmq_send(socket, bodies[next], size, 0) : zmq_send_const(socket, bodies[next], size, 0);
        check(sent == (int)size, "send");
        if (++next == ring) next = 0;
    }
    char answer[8];
    check(zmq_recv(socket, answer, sizeof answer, 0) == 4 && memcmp(answer, "done", 4) == 0, "answer");
    printf("{\"cpuSeconds\":%.6f}\n", cpu_seconds() - cpu);
    close_and_flush(context, socket);
}

int main(int argc, char **argv)
{
    limit_lifetime();
    if (argc < 6) {
        fprintf(stderr, "usage: pair_thr receive|send ENDPOINT SIZE COUNT RING\n");
        return 2;
    }
    size_t size = (size_t)atol(argv[3]);
    long count = atol(argv[4]);
    uint32_t ring = (uint32_t)atol(argv[5]);
    if (strcmp(argv[1], "receive") == 0) receive_all(argv[2], size, count, ring);
    else send_all(argv[2], size, count, ring);
    return 0;
}
