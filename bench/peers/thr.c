/* Throughput through libzmq, in C: what bench/peers/thr.mjs does, in the cheapest way that libzmq offers.
 *
 *   thr receive|send ENDPOINT SIZE COUNT RING FRAMES pair|pipeline null|curve
 *
 * Message i carries i % RING in its first four bytes. The receiver binds, checks and times; at the end it answers "done",
 * through a PAIR of its own where the pattern goes one way. */
#include "peer.h"

/* Larger messages are passed by reference, as npm zeromq does and as we do. */
enum { COPY_UP_TO = 128 };

/* What is sent. */
struct load {
    size_t size;
    long count;
    uint32_t ring;
    int frames;
    int one_way;
    int curve;
};

/* The first frame carries the stamp. */
static void check_frame(zmq_msg_t *frame, size_t size, int is_first, uint32_t expected, long index)
{
    uint32_t stamp = expected;
    if (zmq_msg_size(frame) == size) {
        if (is_first) memcpy(&stamp, zmq_msg_data(frame), sizeof stamp);
        if (stamp == expected) return;
    }
    fprintf(stderr, "message %ld: %zu bytes, stamp %u, expected %zu bytes, stamp %u\n", index, zmq_msg_size(frame), stamp,
            size, expected);
    exit(1);
}

static void receive_message(void *socket, zmq_msg_t *frame, const struct load *load, uint32_t expected, long index)
{
    for (int i = 0; i < load->frames; i++) {
        check(zmq_msg_recv(frame, socket, 0) >= 0, "receive");
        check_frame(frame, load->size, i == 0, expected, index);
        check(zmq_msg_more(frame) == (i + 1 < load->frames), "number of frames");
    }
}

static void receive_all(void *context, const char *endpoint, const struct load *load)
{
    void *socket = new_socket(context, load->one_way ? ZMQ_PULL : ZMQ_PAIR);
    void *answers = load->one_way ? new_socket(context, ZMQ_PAIR) : socket;
    if (load->curve) serve_curve(socket);
    bind_and_tell(socket, answers, endpoint);

    zmq_msg_t frame;
    zmq_msg_init(&frame);
    double cpu = cpu_seconds(), start = 0;
    uint32_t expected = 0;
    for (long i = 0; i < load->count; i++) {
        receive_message(socket, &frame, load, expected, i);
        if (i == 0) start = now_seconds();
        if (++expected == load->ring) expected = 0;
    }
    double seconds = now_seconds() - start;
    cpu = cpu_seconds() - cpu;
    zmq_msg_close(&frame);

    check(zmq_send(answers, "done", 4, 0) == 4, "answer");
    printf("{\"seconds\":%.9f,\"cpuSeconds\":%.6f}\n", seconds, cpu);
    if (load->one_way) zmq_close(answers);
    close_and_flush(context, socket);
}

static void send_message(void *socket, const char *body, const struct load *load)
{
    for (int i = 0; i < load->frames; i++) {
        int flags = i + 1 < load->frames ? ZMQ_SNDMORE : 0;
        int sent = load->size <= COPY_UP_TO ? zmq_send(socket, body, load->size, flags)
                                            : zmq_send_const(socket, body, load->size, flags);
        check(sent == (int)load->size, "send");
    }
}

static void send_all(void *context, char *endpoints, const struct load *load)
{
    char **bodies = calloc(load->ring, sizeof *bodies);
    for (uint32_t i = 0; i < load->ring; i++) {
        bodies[i] = calloc(1, load->size);
        memcpy(bodies[i], &i, sizeof i);
    }

    void *socket = new_socket(context, load->one_way ? ZMQ_PUSH : ZMQ_PAIR), *answers = socket;
    if (load->curve) use_curve(socket);
    const char *endpoint = strtok(endpoints, ",");
    check(zmq_connect(socket, endpoint) == 0, endpoint);
    if (load->one_way) {
        answers = new_socket(context, ZMQ_PAIR);
        endpoint = strtok(NULL, ",");
        check(zmq_connect(answers, endpoint) == 0, endpoint);
    }
    double cpu = cpu_seconds();
    uint32_t next = 0;
    for (long i = 0; i < load->count; i++) {
        send_message(socket, bodies[next], load);
        if (++next == load->ring) next = 0;
    }
    char answer[8];
    check(zmq_recv(answers, answer, sizeof answer, 0) == 4 && memcmp(answer, "done", 4) == 0, "answer");
    printf("{\"cpuSeconds\":%.6f}\n", cpu_seconds() - cpu);
    if (load->one_way) zmq_close(answers);
    close_and_flush(context, socket);
}

int main(int argc, char **argv)
{
    limit_lifetime();
    if (argc < 9) {
        fprintf(stderr, "usage: thr receive|send ENDPOINT SIZE COUNT RING FRAMES pair|pipeline null|curve\n");
        return 2;
    }
    struct load load = {
        .size = (size_t)atol(argv[3]),
        .count = atol(argv[4]),
        .ring = (uint32_t)atol(argv[5]),
        .frames = atoi(argv[6]),
        .one_way = strcmp(argv[7], "pipeline") == 0,
        .curve = strcmp(argv[8], "curve") == 0,
    };
    void *context = zmq_ctx_new();
    check(context != NULL, "context");
    if (strcmp(argv[1], "receive") == 0) receive_all(context, argv[2], &load);
    else send_all(context, argv[2], &load);
    return 0;
}
