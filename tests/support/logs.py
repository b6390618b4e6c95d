"""Logs to read: an nginx whose upstream closes idle connections after 60 s, and others, of any length."""

import random
import time

NGINX_FORMAT = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
    '"$http_user_agent" $upstream_addr $upstream_status $request_time $connection_requests $msec'
)
BEGAN = 1795831200.0  # 2026-11-28 02:00:00 UTC


def nginx_lines(count=2000, lost=44, of_the_timer=41, seed=1):
    """``lost`` requests fail, ``of_the_timer`` of them about 60 s after the last one on their upstream."""
    chosen = random.Random(seed)
    now = BEGAN
    for number in range(count):
        is_lost = number % (count // lost) == 1 and number // (count // lost) < lost
        timed = number // (count // lost) < of_the_timer
        now += chosen.uniform(59.2, 60.7) if is_lost and timed else chosen.uniform(1, 12)
        status = "502" if is_lost else "200"
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now))
        yield (
            f'203.0.113.{number % 250} - - [{stamp}] "GET /orders/{number} HTTP/1.1" {status} 12 "-" '
            f'"curl/8.1" 10.0.0.7:3000 {status} 0.004 {number % 90} {now:.3f}'
        )


def error_lines(count, seed=1):
    """nginx's error log: every line a failure, each with an address, path and number of its own."""
    chosen = random.Random(seed)
    for number in range(count):
        stamp = time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime(BEGAN + number / 20))
        path = f"/orders/{chosen.randrange(10**6)}"
        yield (
            f"{stamp} [error] 7#0: *{number} upstream prematurely closed connection while reading response "
            f"header from upstream, client: 203.0.113.{number % 250}, server: shop.example, "
            f'request: "GET {path} HTTP/1.1", upstream: "http://10.0.0.7:3000{path}", host: "shop.example"'
        )


def application_lines(count, seed=1):
    """An application's log: 1 line in 20 is a failure, all of them differ."""
    chosen = random.Random(seed)
    for number in range(count):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(BEGAN + number / 20))
        if number % 20:
            said = f"INFO processed order {chosen.randrange(10**7)} of {chosen.getrandbits(64):016x}"
        else:
            said = f"ERROR GET https://api.example/v1/{chosen.randrange(10**6)}: Error: socket hang up"
        yield f"{stamp}.{chosen.randrange(1000):03}Z {said} in {chosen.randrange(900)} ms"
