/* Round trips of one byte through libzmq, in C: what bench/peers/lat.mjs does.
 *
 *   lat echo|ping ENDPOINT WARM_UP COUNT pair|request
 *
 * The echo binds. The ping times each of COUNT round trips after WARM_UP untimed ones. */
#include "peer.h"

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void echo(void *socket, const char *endpoint, long rounds)
{
    unsigned char byte;
    bind_and_tell(socket, socket, endpoint);
    double cpu = cpu_seconds();
    for (long i = 0; i < rounds; i++) {
        check(zmq_recv(socket, &byte, 1, 0) == 1, "receive");
        check(zmq_send(socket, &byte, 1, 0) == 1, "send");
    }
    printf("{\"cpuSeconds\":%.6f}\n", cpu_seconds() - cpu);
}

static void round_trip(void *socket, long index)
{
    unsigned char byte = (unsigned char)index, answer;
    check(zmq_send(socket, &byte, 1, 0) == 1, "send");
    check(zmq_recv(socket, &answer, 1, 0) == 1, "receive");
    if (answer == byte) return;
    fprintf(stderr, "round trip %ld: sent %u, got %u\n", index, byte, answer);
    exit(1);
}

static void ping(void *socket, const char *endpoint, long warm_up, long count)
{
    double *micros = calloc((size_t)count, sizeof *micros), sum = 0;
    check(zmq_connect(socket, endpoint) == 0, endpoint);
    for (long i = 0; i < warm_up; i++) round_trip(socket, i);
    double cpu = cpu_seconds();
    for (long i = 0; i < count; i++) {
        double start = now_seconds();
        round_trip(socket, i);
        micros[i] = (now_seconds() - start) * 1e6;
        sum += micros[i];
    }
    cpu = cpu_seconds() - cpu;
    qsort(micros, (size_t)count, sizeof *micros, ascending);
    printf("{\"seconds\":%.9f,\"meanMicros\":%.3f,\"medianMicros\":%.3f,\"p99Micros\":%.3f,\"p999Micros\":%.3f,\"cpuSeconds\":%.6f}\n",
           sum / 1e6, sum / (double)count, micros[count / 2], micros[count * 99 / 100], micros[count * 999 / 1000], cpu);
    free(micros);
}

int main(int argc, char **argv)
{
    limit_lifetime();
    if (argc < 6) {
        fprintf(stderr, "usage: lat echo|ping ENDPOINT WARM_UP COUNT pair|request\n");
        return 2;
    }
    long warm_up = atol(argv[3]), count = atol(argv[4]);
    int echoes = strcmp(argv[1], "echo") == 0, asks = strcmp(argv[5], "request") == 0;
    void *context = zmq_ctx_new(), *socket = new_socket(context, !asks ? ZMQ_PAIR : echoes ? ZMQ_REP : ZMQ_REQ);
    if (echoes) echo(socket, argv[2], warm_up + count);
    else ping(socket, argv[2], warm_up, count);
    close_and_flush(context, socket);
    return 0;
}
