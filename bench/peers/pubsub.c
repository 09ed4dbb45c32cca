/* One publisher and many subscribers through libzmq, in C: what bench/peers/pubsub.mjs does.
 *
 *   pubsub publish|subscribe ENDPOINT SUBSCRIBERS SIZE COUNT RING
 *
 * The publisher binds, and waits for the slowest. All subscribers are in one thread, as there; whichever has something to
 * read is read until it has no more. */
#include "peer.h"

enum { GREETING_EVERY_MICROS = 20000, COPY_UP_TO = 128 };

struct load {
    int subscribers;
    size_t size;
    long count;
    uint32_t ring;
};

static int has_answer(void *answers, const char *expected)
{
    char answer[32];
    int size = zmq_recv(answers, answer, sizeof answer, ZMQ_DONTWAIT);
    if (size < 0) {
        check(zmq_errno() == EAGAIN, "answer");
        return 0;
    }
    check((size_t)size == strlen(expected) && memcmp(answer, expected, (size_t)size) == 0, "answer");
    return 1;
}

static void publish_all(void *context, const char *endpoint, const struct load *load)
{
    void *socket = new_socket(context, ZMQ_PUB), *answers = new_socket(context, ZMQ_PAIR);
    int yes = 1;
    check(zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &yes, sizeof yes) == 0, "no drop");
    bind_and_tell(socket, answers, endpoint);
    char **bodies = calloc(load->ring, sizeof *bodies);
    for (uint32_t i = 0; i < load->ring; i++) {
        bodies[i] = calloc(1, load->size);
        memcpy(bodies[i], &i, sizeof i);
    }
    while (!has_answer(answers, "all are subscribed")) {
        check(zmq_send(socket, "", 0, 0) == 0, "greeting");
        usleep(GREETING_EVERY_MICROS);
    }

    double cpu = cpu_seconds();
    uint32_t next = 0;
    for (long i = 0; i < load->count; i++) {
        int sent = load->size <= COPY_UP_TO ? zmq_send(socket, bodies[next], load->size, 0)
                                            : zmq_send_const(socket, bodies[next], load->size, 0);
        check(sent == (int)load->size, "send");
        if (++next == load->ring) next = 0;
    }
    while (!has_answer(answers, "done")) usleep(GREETING_EVERY_MICROS);
    printf("{\"cpuSeconds\":%.6f}\n", cpu_seconds() - cpu);
    zmq_close(answers);
    close_and_flush(context, socket);
}

struct subscriber {
    void *socket;
    long index;
    uint32_t expected;
};

static void check_body(struct subscriber *subscriber, zmq_msg_t *message, const struct load *load)
{
    uint32_t stamp = 0;
    if (zmq_msg_size(message) == load->size) {
        memcpy(&stamp, zmq_msg_data(message), sizeof stamp);
        if (stamp == subscriber->expected) return;
    }
    fprintf(stderr, "message %ld: %zu bytes, stamp %u, expected %zu bytes, stamp %u\n", subscriber->index,
            zmq_msg_size(message), stamp, load->size, subscriber->expected);
    exit(1);
}

/* Reads until there is no more; whether the subscriber has had all. */
static int drain(struct subscriber *subscriber, zmq_msg_t *message, const struct load *load, double *start)
{
    while (subscriber->index < load->count) {
        if (zmq_msg_recv(message, subscriber->socket, ZMQ_DONTWAIT) < 0) {
            check(zmq_errno() == EAGAIN, "receive");
            return 0;
        }
        /* A greeting: see pubsub.mjs. */
        if (zmq_msg_size(message) == 0 && subscriber->index == 0) continue;
        if (*start == 0) *start = now_seconds();
        check_body(subscriber, message, load);
        subscriber->index++;
        if (++subscriber->expected == load->ring) subscriber->expected = 0;
    }
    return 1;
}

static double receive_all(struct subscriber *subscribers, const struct load *load)
{
    zmq_pollitem_t *items = calloc((size_t)load->subscribers, sizeof *items);
    for (int i = 0; i < load->subscribers; i++)
        items[i] = (zmq_pollitem_t){.socket = subscribers[i].socket, .events = ZMQ_POLLIN};
    zmq_msg_t message;
    zmq_msg_init(&message);
    double start = 0;
    for (int left = load->subscribers; left > 0;) {
        check(zmq_poll(items, load->subscribers, -1) > 0, "poll");
        for (int i = 0; i < load->subscribers; i++) {
            if (!(items[i].revents & ZMQ_POLLIN) || !drain(&subscribers[i], &message, load, &start)) continue;
            items[i].events = 0;
            left--;
        }
    }
    zmq_msg_close(&message);
    free(items);
    return now_seconds() - start;
}

static void subscribe_all(void *context, char *endpoints, const struct load *load)
{
    const char *address = strtok(endpoints, ","), *answer_address = strtok(NULL, ",");
    void *answers = new_socket(context, ZMQ_PAIR);
    check(zmq_connect(answers, answer_address) == 0, answer_address);
    struct subscriber *subscribers = calloc((size_t)load->subscribers, sizeof *subscribers);
    for (int i = 0; i < load->subscribers; i++) {
        subscribers[i].socket = new_socket(context, ZMQ_SUB);
        check(zmq_setsockopt(subscribers[i].socket, ZMQ_SUBSCRIBE, "", 0) == 0, "subscribe");
        check(zmq_connect(subscribers[i].socket, address) == 0, address);
    }
    char none;
    for (int i = 0; i < load->subscribers; i++) check(zmq_recv(subscribers[i].socket, &none, 1, 0) == 0, "greeting");

    double cpu = cpu_seconds();
    check(zmq_send(answers, "all are subscribed", 18, 0) == 18, "answer");
    double seconds = receive_all(subscribers, load);
    cpu = cpu_seconds() - cpu;
    check(zmq_send(answers, "done", 4, 0) == 4, "answer");
    printf("{\"seconds\":%.9f,\"cpuSeconds\":%.6f}\n", seconds, cpu);
    for (int i = 0; i < load->subscribers; i++) zmq_close(subscribers[i].socket);
    close_and_flush(context, answers);
}

int main(int argc, char **argv)
{
    limit_lifetime();
    if (argc < 7) {
        fprintf(stderr, "usage: pubsub publish|subscribe ENDPOINT SUBSCRIBERS SIZE COUNT RING\n");
        return 2;
    }
    struct load load = {
        .subscribers = atoi(argv[3]),
        .size = (size_t)atol(argv[4]),
        .count = atol(argv[5]),
        .ring = (uint32_t)atol(argv[6]),
    };
    void *context = zmq_ctx_new();
    check(context != NULL, "context");
    check(zmq_ctx_set(context, ZMQ_MAX_SOCKETS, load.subscribers + 16) == 0, "sockets");
    if (strcmp(argv[1], "publish") == 0) publish_all(context, argv[2], &load);
    else subscribe_all(context, argv[2], &load);
    return 0;
}
