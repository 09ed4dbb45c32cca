/* Throughput through libzmq, in C: what bench/peers/thr.mjs does, in the cheapest way that libzmq offers.
 *
 *   thr receive|send ENDPOINT SIZE COUNT RING pair|pipeline
 *
 * Message i carries i % RING in its first four bytes. The receiver binds, checks and times; at the end it answers "done",
 * through a PAIR of its own where the pattern goes one way. */
#include "peer.h"

/* Larger messages are passed by reference, as npm zeromq does and as we do. */
enum { COPY_UP_TO = 128 };

static void *new_socket(void *context, int type)
{
    void *socket = zmq_socket(context, type);
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

static void receive_all(void *context, int one_way, const char *endpoint, size_t size, long count, uint32_t ring)
{
    void *socket = new_socket(context, one_way ? ZMQ_PULL : ZMQ_PAIR);
    void *answers = one_way ? new_socket(context, ZMQ_PAIR) : socket;
    bind_and_tell(socket, answers, endpoint);

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

    check(zmq_send(answers, "done", 4, 0) == 4, "answer");
    printf("{\"seconds\":%.9f,\"cpuSeconds\":%.6f}\n", seconds, cpu);
    if (one_way) zmq_close(answers);
    close_and_flush(context, socket);
}

static void send_all(void *context, int one_way, char *endpoints, size_t size, long count, uint32_t ring)
{
    char **bodies = calloc(ring, sizeof *bodies);
    for (uint32_t i = 0; i < ring; i++) {
        bodies[i] = calloc(1, size);
        memcpy(bodies[i], &i, sizeof i);
    }

    void *socket = new_socket(context, one_way ? ZMQ_PUSH : ZMQ_PAIR), *answers = socket;
    const char *endpoint = strtok(endpoints, ",");
    check(zmq_connect(socket, endpoint) == 0, endpoint);
    if (one_way) {
        answers = new_socket(context, ZMQ_PAIR);
        endpoint = strtok(NULL, ",");
        check(zmq_connect(answers, endpoint) == 0, endpoint);
    }
    double cpu = cpu_seconds();
    uint32_t next = 0;
    for (long i = 0; i < count; i++) {
        int sent = size <= COPY_UP_TO ? zmq_send(socket, bodies[next], size, 0) : zmq_send_const(socket, bodies[next], size, 0);
        check(sent == (int)size, "send");
        if (++next == ring) next = 0;
    }
    char answer[8];
    check(zmq_recv(answers, answer, sizeof answer, 0) == 4 && memcmp(answer, "done", 4) == 0, "answer");
    printf("{\"cpuSeconds\":%.6f}\n", cpu_seconds() - cpu);
    if (one_way) zmq_close(answers);
    close_and_flush(context, socket);
}

int main(int argc, char **argv)
{
    limit_lifetime();
    if (argc < 7) {
        fprintf(stderr, "usage: thr receive|send ENDPOINT SIZE COUNT RING pair|pipeline\n");
        return 2;
    }
    size_t size = (size_t)atol(argv[3]);
    long count = atol(argv[4]);
    uint32_t ring = (uint32_t)atol(argv[5]);
    int one_way = strcmp(argv[6], "pipeline") == 0;
    void *context = zmq_ctx_new();
    check(context != NULL, "context");
    if (strcmp(argv[1], "receive") == 0) receive_all(context, one_way, argv[2], size, count, ring);
    else send_all(context, one_way, argv[2], size, count, ring);
    return 0;
}
