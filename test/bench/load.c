/*
 * A closed-loop load generator for servers that speak RESP2.
 *
 * Every connection sends one round (a pipeline of commands), waits until all of it is answered, and sends the next.
 * It is written in C so that it takes less of the machine than what it measures, and it exists because no stock tool
 * can follow each round of writes with WAIT, which is how a Redis with replicas gives Tulpar's guarantee.
 *
 * Modes: set, get, incr, mixed (nine reads, one write), setwait (a round of SET, then WAIT), fill (every key once,
 * in order, then stop). Values are printable noise, because a server that compresses would otherwise be flattered.
 *
 * Prints one line of JSON. Exit status: 0; 1 a connection could not be made or was lost; 2 bad arguments.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum mode { MODE_SET, MODE_GET, MODE_INCR, MODE_MIXED, MODE_SETWAIT, MODE_FILL, MODES };
static const char *const mode_names[MODES] = {"set", "get", "incr", "mixed", "setwait", "fill"};

static struct {
    enum mode mode;
    const char *host;
    int port, connections, pipeline, seconds, keys, value_bytes, replicas;
    bool warm;
} options = {
    .mode = MODE_SET, .host = "127.0.0.1", .port = 6379, .connections = 50, .pipeline = 1,
    .seconds = 5, .keys = 100000, .value_bytes = 100, .replicas = 2,
};

/* ---- time, chance, values ---- */

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* splitmix64 */
static uint64_t random_state = 20;
static uint64_t next_random(void) {
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* One pool of noise; a value is a slice of it at a random place, so values differ and cost nothing to make. */
enum { NOISE_BYTES = 1 << 20 };
static char *noise;
static void make_noise(void) {
    size_t size = NOISE_BYTES + (size_t)options.value_bytes;
    noise = malloc(size);
    for (size_t i = 0; i < size; i++) noise[i] = (char)('!' + next_random() % 90);
}

/* ---- latency: buckets of microseconds, 64 to a power of two, so 1.6 % wide ---- */

enum { BUCKETS = 64 * 40 };
static uint64_t latencies[BUCKETS];
static uint64_t latency_count;

static void record_latency(uint64_t us) {
    int shift = us < 128 ? 0 : 63 - __builtin_clzll(us) - 6;
    size_t bucket = (size_t)(shift * 64) + (us >> shift);
    latencies[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    latency_count++;
}

static double percentile_ms(double fraction) {
    uint64_t wanted = (uint64_t)(fraction * (double)latency_count), seen = 0;
    for (size_t b = 0; b < BUCKETS; b++) {
        seen += latencies[b];
        if (seen > wanted) {
            int shift = b < 128 ? 0 : (int)(b / 64) - 1;
            return (double)((b - (size_t)shift * 64) << shift) / 1000.0;
        }
    }
    return 0;
}

/* ---- counters ---- */

static uint64_t operations, errors, misses;
static char first_error[200];

static void count_error(const char *text, size_t length) {
    errors++;
    if (first_error[0] != 0) return;
    if (length >= sizeof first_error) length = sizeof first_error - 1;
    for (size_t i = 0; i < length; i++) {
        first_error[i] = text[i] < ' ' || text[i] == '"' || text[i] == '\\' ? '\'' : text[i];
    }
    first_error[length] = 0;
}

/* ---- connections ---- */

struct connection {
    int fd;
    bool alive, writing;     /* writing: epoll also watches for room to write */
    char *out;
    size_t out_length, out_sent, out_capacity;
    char line[256];          /* the reply header that is being read */
    size_t line_length;
    uint64_t skip;           /* bytes of a bulk reply (and its CRLF) still to pass over */
    int commands, unanswered;
    uint64_t started_us;
};

static int poller;
static int next_fill_key;    /* of fill: the first key that nobody has taken yet */
static int alive_connections, lost_connections;

static void append(struct connection *c, const char *bytes, size_t length) {
    if (c->out_length + length > c->out_capacity) {
        c->out_capacity = 2 * (c->out_length + length);
        c->out = realloc(c->out, c->out_capacity);
        if (c->out == NULL) abort();
    }
    memcpy(c->out + c->out_length, bytes, length);
    c->out_length += length;
}

static void append_set(struct connection *c, unsigned key) {
    char head[96];
    int n = sprintf(head, "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012u\r\n$%d\r\n", key, options.value_bytes);
    append(c, head, (size_t)n);
    append(c, noise + next_random() % NOISE_BYTES, (size_t)options.value_bytes);
    append(c, "\r\n", 2);
}

static void append_named(struct connection *c, const char *command, size_t command_bytes, const char *family, unsigned key) {
    char text[96];
    int n = sprintf(text, "*2\r\n$%zu\r\n%s\r\n$16\r\n%s:%012u\r\n", command_bytes, command, family, key);
    append(c, text, (size_t)n);
}

/* Queues the connection's next round. False when there is nothing left to do (fill only). */
static bool prepare_round(struct connection *c, enum mode mode) {
    c->out_length = c->out_sent = 0;
    c->commands = 0;
    for (int i = 0; i < options.pipeline; i++) {
        unsigned key = (unsigned)(next_random() % (uint64_t)options.keys);
        if (mode == MODE_FILL) {
            if (next_fill_key == options.keys) break;
            key = (unsigned)next_fill_key++;
        }
        bool read = mode == MODE_GET || (mode == MODE_MIXED && next_random() % 10 != 0);
        if (read) append_named(c, "GET", 3, "key", key);
        else if (mode == MODE_INCR) append_named(c, "INCR", 4, "cnt", key);
        else append_set(c, key);
        c->commands++;
    }
    if (c->commands == 0) return false;
    c->unanswered = c->commands;
    if (mode == MODE_SETWAIT) {
        char wait[64];
        int n = sprintf(wait, "*3\r\n$4\r\nWAIT\r\n$1\r\n%d\r\n$1\r\n0\r\n", options.replicas);
        append(c, wait, (size_t)n);
        c->unanswered++;
    }
    c->started_us = now_us();
    return true;
}

static void close_connection(struct connection *c, bool lost) {
    if (!c->alive) return;
    c->alive = false;
    alive_connections--;
    if (lost) lost_connections++;
    close(c->fd);
}

static void watch(struct connection *c, int operation) {
    struct epoll_event event = {.events = EPOLLIN | (c->writing ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(poller, operation, c->fd, &event);
}

static void send_some(struct connection *c) {
    while (c->out_sent < c->out_length) {
        ssize_t n = send(c->fd, c->out + c->out_sent, c->out_length - c->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (n < 0) { close_connection(c, true); return; }
        c->out_sent += (size_t)n;
    }
    bool more = c->out_sent < c->out_length;
    if (more != c->writing) {
        c->writing = more;
        watch(c, EPOLL_CTL_MOD);
    }
}

/* One reply header is complete, without its line end. */
static void take_header(struct connection *c, enum mode mode) {
    const char *line = c->line;
    bool is_wait = mode == MODE_SETWAIT && c->unanswered == 1;
    if (line[0] == '-') count_error(line + 1, c->line_length - 1);
    else if (line[0] == '$') {
        long length = atol(line + 1);
        if (length >= 0) c->skip = (uint64_t)length + 2;
        else misses++;
    } else if (is_wait && atol(line + 1) < options.replicas) count_error(line, c->line_length);
    c->unanswered--;
}

static void take_replies(struct connection *c, enum mode mode, const char *bytes, size_t length) {
    const char *end = bytes + length;
    while (bytes < end) {
        if (c->skip > 0) {
            size_t step = c->skip < (uint64_t)(end - bytes) ? (size_t)c->skip : (size_t)(end - bytes);
            c->skip -= step;
            bytes += step;
            continue;
        }
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        const char *stop = newline ? newline : end;
        for (; bytes < stop; bytes++) {
            if (*bytes != '\r' && c->line_length < sizeof c->line - 1) c->line[c->line_length++] = *bytes;
        }
        if (newline == NULL) return;
        bytes++;
        c->line[c->line_length] = 0;
        take_header(c, mode);
        c->line_length = 0;
    }
}

static bool connect_to(struct connection *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    if (inet_pton(AF_INET, options.host, &address.sin_addr) != 1) return false;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0) return false;
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->alive = true;
    alive_connections++;
    watch(c, EPOLL_CTL_ADD);
    return true;
}

/* ---- a run: all connections in a closed loop until the time is over, or for fill until every key is written ---- */

static void start_round(struct connection *c, enum mode mode) {
    if (prepare_round(c, mode)) send_some(c);
    else close_connection(c, false);
}

static bool run(enum mode mode, uint64_t until_us) {
    static char input[1 << 18];
    struct connection *all = calloc((size_t)options.connections, sizeof *all);
    struct epoll_event events[512];
    poller = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < options.connections; i++) {
        if (!connect_to(&all[i])) {
            fprintf(stderr, "load: cannot connect to %s:%d: %s\n", options.host, options.port, strerror(errno));
            return false;
        }
    }
    for (int i = 0; i < options.connections; i++) start_round(&all[i], mode);
    while (alive_connections > 0 && (until_us == 0 || now_us() < until_us)) {
        int ready = epoll_wait(poller, events, 512, 100);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) send_some(c);
            if (!c->alive || !(events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
            ssize_t n = recv(c->fd, input, sizeof input, MSG_DONTWAIT);
            if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            if (n <= 0) { close_connection(c, true); continue; }
            take_replies(c, mode, input, (size_t)n);
            if (c->unanswered > 0) continue;
            record_latency(now_us() - c->started_us);
            operations += (uint64_t)c->commands;
            start_round(c, mode);
        }
    }
    for (int i = 0; i < options.connections; i++) {
        close_connection(&all[i], false);
        free(all[i].out);
    }
    free(all);
    close(poller);
    return true;
}

static int usage(void) {
    fprintf(stderr,
            "usage: load [--host 127.0.0.1] [--port 6379] [--mode set|get|incr|mixed|setwait|fill] [--connections 50]\n"
            "            [--pipeline 1] [--seconds 5] [--keys 100000] [--value-bytes 100] [--replicas 2] [--warm]\n");
    return 2;
}

static bool parse_options(int argc, char **argv) {
    static const struct option known[] = {
        {"host", 1, NULL, 'h'}, {"port", 1, NULL, 'p'}, {"mode", 1, NULL, 'm'}, {"connections", 1, NULL, 'c'},
        {"pipeline", 1, NULL, 'P'}, {"seconds", 1, NULL, 's'}, {"keys", 1, NULL, 'k'}, {"value-bytes", 1, NULL, 'v'},
        {"replicas", 1, NULL, 'r'}, {"warm", 0, NULL, 'w'}, {NULL, 0, NULL, 0},
    };
    for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        int number = optarg ? atoi(optarg) : 0;
        switch (o) {
        case 'h': options.host = optarg; break;
        case 'p': options.port = number; break;
        case 'c': options.connections = number; break;
        case 'P': options.pipeline = number; break;
        case 's': options.seconds = number; break;
        case 'k': options.keys = number; break;
        case 'v': options.value_bytes = number; break;
        case 'r': options.replicas = number; break;
        case 'w': options.warm = true; break;
        case 'm': {
            int m = 0;
            while (m < MODES && strcmp(mode_names[m], optarg) != 0) m++;
            if (m == MODES) return false;
            options.mode = (enum mode)m;
            break;
        }
        default: return false;
        }
    }
    return optind == argc && options.port > 0 && options.connections > 0 && options.pipeline > 0 && options.keys > 0 &&
           options.value_bytes > 0 && options.replicas >= 0 && options.replicas < 10;
}

int main(int argc, char **argv) {
    if (!parse_options(argc, argv)) return usage();
    make_noise();
    if (options.warm) {
        int pipeline = options.pipeline;
        options.pipeline = 32;
        if (!run(MODE_FILL, 0) || lost_connections > 0) return 1;
        options.pipeline = pipeline;
        operations = errors = latency_count = 0;
        first_error[0] = 0;
        memset(latencies, 0, sizeof latencies);
    }
    uint64_t began = now_us();
    if (!run(options.mode, options.mode == MODE_FILL ? 0 : began + (uint64_t)options.seconds * 1000000u)) return 1;
    double elapsed = (double)(now_us() - began) / 1e6;
    printf("{\"mode\":\"%s\",\"connections\":%d,\"pipeline\":%d,\"seconds\":%.3f,\"operations\":%llu,\"operationsPerSecond\":%.0f,"
           "\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"p999Ms\":%.3f,\"errors\":%llu,\"firstError\":\"%s\",\"misses\":%llu,\"lostConnections\":%d}\n",
           mode_names[options.mode], options.connections, options.pipeline, elapsed, (unsigned long long)operations,
           (double)operations / elapsed, percentile_ms(0.5), percentile_ms(0.99), percentile_ms(0.999),
           (unsigned long long)errors, first_error, (unsigned long long)misses, lost_connections);
    return lost_connections > 0 ? 1 : 0;
}
