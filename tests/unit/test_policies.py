"""Retry policies: every decision against its source, counts, delays, deadlines."""

import itertools
import random
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.client.retrying import Again, FailedAttempt, repeats_unsafe
from econnlab.discovery import parts
from econnlab.errors import EnvironmentProblem
from econnlab.record.attempts import Outcome

POLICIES = parts("econnlab.client.policies")
METHODS = ("GET", "PUT", "POST")

FAULTS = {
    "reset": {"outcome": Outcome.RESET},
    "closed": {"outcome": Outcome.CLOSED},
    "refused": {"outcome": Outcome.REFUSED, "sent": False, "connected": False},
    "truncated": {"outcome": Outcome.TRUNCATED, "status": 200, "response_began": True},
    "timeout": {"outcome": Outcome.TIMEOUT},
    "503": {"outcome": Outcome.HTTP_ERROR, "status": 503, "response_began": True},
}

# Whether GET, PUT, POST are tried again, the request having been sent whole, on a reused and on a new
# connection, as the source says. A request that is refused is on no connection, and so on no reused one: its
# decision equals new's.
TABLE = """
policy         fault      reused  new  source
none           reset      NNN     NNN  Node 20.20.2 lib/_http_client.js: emits the error, no more
none           closed     NNN     NNN  Node 20.20.2 lib/_http_client.js socketOnEnd
none           refused    -       NNN  Node 20.20.2 lib/_http_client.js
none           truncated  NNN     NNN  Node 20.20.2 lib/_http_client.js socketCloseListener
none           timeout    NNN     NNN  Node 20.20.2 lib/_http_client.js
none           503        NNN     NNN  Node 20.20.2 lib/_http_client.js: a response
requests       reset      NNN     NNN  requests 2.34.2 adapters.py: Retry(0, read=False)
requests       closed     NNN     NNN  requests 2.34.2 adapters.py: Retry(0, read=False)
requests       refused    -       NNN  requests 2.34.2 adapters.py: Retry(0): total is used up
requests       truncated  NNN     NNN  requests 2.34.2 models.py iter_content: outside of urlopen
requests       timeout    NNN     NNN  requests 2.34.2 adapters.py: Retry(0, read=False)
requests       503        NNN     NNN  urllib3 2.8.0 Retry.is_retry: total is 0
urllib3        reset      YYN     YYN  urllib3 2.8.0 Retry._is_read_error: ProtocolError; allowed_methods
urllib3        closed     YYN     YYN  urllib3 2.8.0 Retry._is_read_error: ProtocolError(RemoteDisconnected)
urllib3        refused    -       YYY  urllib3 2.8.0 Retry._is_connection_error: NewConnectionError, any
urllib3        truncated  YYN     YYN  urllib3 2.8.0 Retry._is_read_error: ProtocolError(IncompleteRead)
urllib3        timeout    YYN     YYN  urllib3 2.8.0 Retry._is_read_error: ReadTimeoutError
urllib3        503        NNN     NNN  urllib3 2.8.0 Retry.is_retry: no status_forcelist, no Retry-After
tenacity       reset      YYY     YYY  tenacity 9.2.1 retry_if_exception_type(): any Exception
tenacity       closed     YYY     YYY  tenacity 9.2.1 retry_if_exception_type(): any Exception
tenacity       refused    -       YYY  tenacity 9.2.1 retry_if_exception_type(): any Exception
tenacity       truncated  YYY     YYY  tenacity 9.2.1 retry_if_exception_type(): any Exception
tenacity       timeout    YYY     YYY  tenacity 9.2.1 retry_if_exception_type(): any Exception
tenacity       503        NNN     NNN  tenacity 9.2.1 retry_if_exception: a response is no exception
axios-retry-3  reset      YYY     YYY  axios-retry 3.2.0 isNetworkError: ECONNRESET, no method test
axios-retry-3  closed     YYY     YYY  axios-retry 3.2.0 isNetworkError: "socket hang up" is ECONNRESET too
axios-retry-3  refused    -       YYY  axios-retry 3.2.0 isNetworkError: ECONNREFUSED
axios-retry-3  truncated  YYY     YYY  axios 0.22.0 http.js handleStreamError: ECONNRESET without the response
axios-retry-3  timeout    NNN     NNN  axios-retry 3.2.0 isNetworkError, isRetryableError: not ECONNABORTED
axios-retry-3  503        YYN     YYN  axios-retry 3.2.0 isIdempotentRequestError: 5xx
axios-retry-4  reset      YYY     YYY  axios-retry 4.5.0 isNetworkError: ECONNRESET, no method test
axios-retry-4  closed     YYY     YYY  axios-retry 4.5.0 isNetworkError: "socket hang up" is ECONNRESET too
axios-retry-4  refused    -       YYY  axios-retry 4.5.0 isNetworkError: ECONNREFUSED
axios-retry-4  truncated  NNN     NNN  axios 1.21.1 http.js handlerStreamAborted: with the response, a 200
axios-retry-4  timeout    NNN     NNN  axios-retry 4.5.0 isNetworkError, isRetryableError: not ECONNABORTED
axios-retry-4  503        YYN     YYN  axios-retry 4.5.0 isIdempotentRequestError: 5xx
nuxt-axios     reset      YYY     YYY  axios-retry 3.9.1 isNetworkError: ECONNRESET, no method test
nuxt-axios     closed     YYY     YYY  axios-retry 3.9.1 isNetworkError: "socket hang up" is ECONNRESET too
nuxt-axios     refused    -       YYY  axios-retry 3.9.1 isNetworkError: ECONNREFUSED
nuxt-axios     truncated  YYY     YYY  axios 0.21.4 http.js handleStreamError: ECONNRESET without the response
nuxt-axios     timeout    NNN     NNN  axios-retry 3.9.1 isNetworkError, isRetryableError: not ECONNABORTED
nuxt-axios     503        YYN     YYN  axios-retry 3.9.1 isIdempotentRequestError: 5xx
aiohttp        reset      YYN     YYN  aiohttp 3.14.5 client.py _request: ClientOSError, IDEMPOTENT_METHODS
aiohttp        closed     YYN     YYN  aiohttp 3.14.5 client.py _request: ServerDisconnectedError
aiohttp        refused    -       NNN  aiohttp 3.14.5 client.py _request: ClientConnectorError is raised
aiohttp        truncated  NNN     NNN  aiohttp 3.14.5 ClientPayloadError comes from reading the body, later
aiohttp        timeout    NNN     NNN  aiohttp 3.14.5 client.py _request: SocketTimeoutError is neither
aiohttp        503        NNN     NNN  aiohttp 3.14.5 client.py _request: a response
undici         reset      YYN     YYN  undici 7.30.2 retry-handler.js: ECONNRESET in errorCodes, methods
undici         closed     YYN     YYN  undici 7.30.2 retry-handler.js: UND_ERR_SOCKET in errorCodes
undici         refused    -       YYN  undici 7.30.2 retry-handler.js: ECONNREFUSED in errorCodes, methods
undici         truncated  YYN     YYN  undici 7.30.2 retry-handler.js onResponseError: resume, by Range
undici         timeout    NNN     NNN  undici 7.30.2 retry-handler.js: UND_ERR_HEADERS_TIMEOUT is not in it
undici         503        YYN     YYN  undici 7.30.2 retry-handler.js: statusCodes
got            reset      YYN     YYN  got 14.6.6 calculate-retry-delay.js: ECONNRESET in errorCodes, methods
got            closed     YYN     YYN  got 14.6.6 calculate-retry-delay.js: "socket hang up" is ECONNRESET too
got            refused    -       YYN  got 14.6.6 calculate-retry-delay.js: ECONNREFUSED in errorCodes
got            truncated  YYN     YYN  got 14.6.6 core/index.js, aborted: ReadError with ECONNRESET
got            timeout    YYN     YYN  got 14.6.6 calculate-retry-delay.js: ETIMEDOUT in errorCodes
got            503        YYN     YYN  got 14.6.6 calculate-retry-delay.js: statusCodes
go             reset      YNN     NNN  Go 1.19.8 shouldRetryRequest: transportReadFromServerError
go             closed     YNN     NNN  Go 1.19.8 shouldRetryRequest: transportReadFromServerError
go             refused    -       NNN  Go 1.19.8 Transport.roundTrip: getConn's error is returned
go             truncated  NNN     NNN  Go 1.19.8 Transport.roundTrip has returned the response by then
go             timeout    NNN     NNN  Go 1.19.8 shouldRetryRequest: neither of its two errors
go             503        NNN     NNN  Go 1.19.8 Transport.roundTrip: a response
curl           reset      YYY     NNN  curl 7.88.1 Curl_retry_request: bits.reuse and no byte, any method
curl           closed     YYY     NNN  curl 7.88.1 Curl_retry_request: bits.reuse and no byte, any method
curl           refused    -       NNN  curl 7.88.1 Curl_retry_request: not reused
curl           truncated  NNN     NNN  curl 7.88.1 Curl_retry_request: bytecount + headerbytecount > 0
curl           timeout    NNN     NNN  curl 7.88.1 multi_runsingle: CURLE_OPERATION_TIMEDOUT does not ask
curl           503        NNN     NNN  curl 7.88.1 without --retry: a response
botocore       reset      YYY     YYY  botocore 1.44.8 TransientRetryableChecker: ConnectionClosedError
botocore       closed     YYY     YYY  botocore 1.44.8 TransientRetryableChecker: ConnectionClosedError
botocore       refused    -       YYY  botocore 1.44.8 TransientRetryableChecker: EndpointConnectionError
botocore       truncated  NNN     NNN  botocore 1.44.8 httpsession.py send: enforce_content_length=False
botocore       timeout    YYY     YYY  botocore 1.44.8 TransientRetryableChecker: ReadTimeoutError
botocore       503        YYY     YYY  botocore 1.44.8 TransientRetryableChecker: _TRANSIENT_STATUS_CODES
nginx          reset      YYN     YYN  nginx 1.22.1 ngx_http_upstream_next: FT_ERROR, NON_IDEMPOTENT once sent
nginx          closed     YYN     YYN  nginx 1.22.1 ngx_http_upstream_process_header: closed early is FT_ERROR
nginx          refused    -       YYY  nginx 1.22.1 ngx_http_upstream_send_request: FT_ERROR, request_sent 0
nginx          truncated  NNN     NNN  nginx 1.22.1 the head was passed on: ngx_http_upstream_finalize_request
nginx          timeout    YYN     YYN  nginx 1.22.1 ngx_http_upstream_next: FT_TIMEOUT, and as reset
nginx          503        NNN     NNN  nginx 1.22.1 ngx_http_upstream_test_next: http_503 is not set
"""
ROWS = [line.split(maxsplit=4) for line in TABLE.strip().splitlines()[1:]]


def failed(method="GET", outcome=Outcome.RESET, **given):
    return FailedAttempt(method, outcome, **{"reused": False, "sent": True, **given})


def made(name, retries=None, seed=1):
    module = POLICIES[name]
    return module.policy(max(module.RETRIES, 1) if retries is None else retries, random.Random(seed))


def again(name, *arguments, **given):
    """What a fresh policy of that name decides."""
    return made(name).after(failed(*arguments, **given))


def decisions(name, fault, reused):
    told = {**FAULTS[fault], "reused": reused}
    return "".join("NY"[again(name, method, **told) is not None] for method in METHODS)


def all_again(name, retries=None, **given):
    """What follows, again and again, while every attempt fails in the same way."""
    policy, followed = made(name, retries), []
    for attempt in itertools.count(1):
        answer = policy.after(failed(attempt=attempt, **given))
        if answer is None:
            return followed
        followed.append(answer)
        assert attempt < 1000
    return None


# -- decisions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_the_decision_is_the_sources(row):
    name, fault, reused, new, _ = row
    assert decisions(name, fault, reused=False) == new
    assert decisions(name, fault, reused=True) == (new if reused == "-" else reused)


def test_the_table_has_every_policy_and_every_fault():
    assert [row[:2] for row in ROWS] == [[name, fault] for name in dict.fromkeys(row[0] for row in ROWS)
                                         for fault in FAULTS]  # fmt: skip
    assert {row[0] for row in ROWS} == set(POLICIES)


@pytest.mark.parametrize("module", POLICIES.values(), ids=POLICIES)
def test_a_policy_says_what_it_is(module):
    assert "\n" not in module.HELP
    assert any(character.isdigit() for character in module.SOURCE) or module.KIND == "library"
    assert ("library" if module.NAME in ("urllib3", "requests", "tenacity") else "model") == module.KIND


def test_who_may_carry_a_post_out_twice():
    unsafe = {name for name, module in POLICIES.items() if repeats_unsafe(module)}
    assert unsafe == {"axios-retry-3", "axios-retry-4", "botocore", "curl", "nuxt-axios", "tenacity"}


@pytest.mark.parametrize(
    ("name", "reset", "truncated"),
    [
        ("axios-retry-3", True, True),  # the error has no response
        ("axios-retry-4", False, True),  # with a head it has one; half a head is "socket hang up"
        ("aiohttp", False, True),  # half a head is ServerDisconnectedError
        ("undici", True, True),
        ("got", True, True),
        ("go", False, False),  # any byte of the response
        ("curl", False, False),  # the same
        ("nginx", False, True),  # until the head is whole nothing has been passed on
        ("botocore", True, True),  # an RST is noticed, and so is half a head as an error of http.client
        ("urllib3", True, True),
    ],
)
def test_a_response_that_began(name, reset, truncated):
    """An RST after a whole head, and an end within the head; on a reused connection."""
    after_head = again(name, reused=True, status=200, response_began=True)
    within_head = again(name, outcome=Outcome.TRUNCATED, reused=True, response_began=True)
    assert (after_head is not None, within_head is not None) == (reset, truncated)


@pytest.mark.parametrize(
    ("name", "method", "statuses"),
    [
        ("axios-retry-3", "GET", {500, 501, 502, 503, 504, 599}),
        ("axios-retry-4", "GET", {429, 500, 501, 502, 503, 504, 599}),
        ("undici", "GET", {429, 500, 502, 503, 504}),
        ("got", "GET", {408, 429, 500, 502, 503, 504}),
        ("botocore", "POST", {429, 500, 502, 503, 504}),
        ("tenacity", "GET", set()),
        ("urllib3", "GET", set()),
    ],
)
def test_which_statuses_are_tried_again(name, method, statuses):
    asked = (400, 401, 404, 408, 413, 429, 500, 501, 502, 503, 504, 599)
    found = {status for status in asked if again(name, method, Outcome.HTTP_ERROR, status=status)}
    assert found == statuses


def test_a_body_that_cannot_be_sent_again():
    """axios-retry and tenacity do not ask, and send what is left of it."""
    again_all_the_same = {
        name for name in POLICIES if again(name, "PUT", reused=True, replayable=False) is not None
    }
    assert again_all_the_same == {"axios-retry-3", "axios-retry-4", "nuxt-axios", "tenacity"}
    assert again("nginx", outcome=Outcome.REFUSED, connected=False, sent=False, replayable=False) == Again()


def test_go_takes_an_idempotency_key_for_leave():
    assert again("go", "POST", reused=True) is None
    assert again("go", "POST", reused=True, idempotency_key=True) == Again()
    assert again("go", "POST", reused=True, idempotency_key=True, replayable=False) is None
    assert again("go", "POST", reused=False, idempotency_key=True) is None


def test_go_sends_anything_again_of_which_nothing_was_written():
    """nothingWrittenError; a FIN seen before is errServerClosedIdle, for which the method counts."""
    for outcome in (Outcome.RESET, Outcome.BROKEN_PIPE):
        assert again("go", "POST", outcome, reused=True, sent=False) == Again()
        assert again("go", "POST", outcome, reused=False, sent=False) is None
    assert again("go", "POST", Outcome.CLOSED, reused=True, sent=False) is None
    assert again("go", "GET", Outcome.CLOSED, reused=True, sent=False) == Again()


def test_a_request_that_broke_while_it_was_being_written():
    """A write error after the first byte: Go and curl give up, who looks at the method alone does not."""
    assert again("go", outcome=Outcome.BROKEN_PIPE, reused=True) is None
    assert again("curl", outcome=Outcome.BROKEN_PIPE, reused=True) is None
    assert again("curl", "POST", Outcome.BROKEN_PIPE, reused=True, sent=False) == Again()
    for name in ("axios-retry-3", "axios-retry-4", "aiohttp", "undici", "got", "nginx", "urllib3"):
        assert again(name, outcome=Outcome.BROKEN_PIPE, reused=True) is not None


def test_nginx_sends_a_post_again_of_which_nothing_was_sent():
    assert again("nginx", "POST", reused=True, sent=False) == Again()
    for method in ("POST", "LOCK", "PATCH"):
        assert again("nginx", method, reused=True) is None
    assert again("nginx", "DELETE", reused=True) == Again()


def test_a_timeout_while_connecting():
    """urllib3 and nginx know that nothing was sent; to axios and undici a timeout is a timeout."""
    told = {"outcome": Outcome.TIMEOUT, "sent": False, "connected": False}
    tried = {name for name in POLICIES if again(name, "POST", **told) is not None}
    assert tried == {"urllib3", "nginx", "botocore", "tenacity"}


def test_a_timeout_of_the_kernels_own_is_a_network_error_to_axios():
    for name in ("axios-retry-3", "axios-retry-4", "nuxt-axios"):
        assert again(name, "POST", Outcome.TIMEOUT, errno="ETIMEDOUT") is not None


@pytest.mark.parametrize(
    ("name", "method", "expected"),
    [
        ("axios-retry-3", "GET", {"EADDRNOTAVAIL", "EHOSTUNREACH", "ENETUNREACH", None}),
        ("axios-retry-3", "POST", {"EADDRNOTAVAIL", "EHOSTUNREACH"}),  # is-retry-allowed has ENETUNREACH
        ("undici", "GET", {"EHOSTUNREACH", "ENETUNREACH"}),
        ("got", "GET", {"ENETUNREACH"}),
        ("urllib3", "POST", {"EADDRNOTAVAIL", "EHOSTUNREACH", "ENETUNREACH", None}),
        ("nginx", "POST", {"EADDRNOTAVAIL", "EHOSTUNREACH", "ENETUNREACH", None}),
        ("aiohttp", "GET", set()),
        ("go", "GET", set()),
    ],
)
def test_other_errors_before_a_connection_came_about(name, method, expected):
    told = {"outcome": Outcome.OTHER, "connected": False, "sent": False}
    found = {
        errno
        for errno in ("EADDRNOTAVAIL", "EHOSTUNREACH", "ENETUNREACH", None)
        if again(name, method, errno=errno, **told) is not None
    }
    assert found == expected


# -- how many -------------------------------------------------------------------------------------

COUNTS = {
    "none": 0, "requests": 0, "urllib3": 3, "tenacity": 3, "axios-retry-3": 3, "axios-retry-4": 3,
    "nuxt-axios": 3, "aiohttp": 1, "undici": 5, "got": 2, "go": 2, "curl": 5, "botocore": 2, "nginx": 1,
}  # fmt: skip


@pytest.mark.parametrize("name", POLICIES)
def test_how_many_more_tries_by_default(name):
    reused = name in ("go", "curl")
    assert COUNTS[name] == POLICIES[name].RETRIES
    assert len(all_again(name, COUNTS[name], reused=reused)) == COUNTS[name]


@pytest.mark.parametrize("name", POLICIES)
def test_as_many_as_asked_for_where_the_original_can_be_told(name):
    fixed = {"none": 0, "requests": 0, "aiohttp": 1, "curl": 5}.get(name, 9)
    reused = name in ("go", "curl")
    assert len(all_again(name, 9, reused=reused)) == fixed
    assert len(all_again(name, 0, reused=reused)) == 0


def test_nginx_does_not_count_a_kept_connection_that_was_dead():
    """ngx_http_upstream_next: peer.cached, tries++."""
    policy = made("nginx", retries=1)
    assert policy.after(failed(reused=True)) == Again()
    assert policy.after(failed(reused=True, attempt=2)) == Again()
    assert policy.after(failed(attempt=3)) == Again()
    assert policy.after(failed(attempt=4)) is None
    assert made("nginx", retries=0).after(failed(reused=True)) == Again()
    assert made("nginx", retries=0).after(failed(reused=True, outcome=Outcome.TIMEOUT)) is None


@pytest.mark.parametrize("name", ["urllib3", "nginx", "axios-retry-3", "undici"])
def test_each_request_begins_anew(name):
    policy = made(name, retries=1)
    for _ in range(3):
        assert policy.after(failed()) is not None
        assert policy.after(failed(attempt=2)) is None


def test_undici_asks_for_the_rest_of_a_cut_body_and_takes_nothing_else():
    policy = made("undici")
    assert policy.after(failed(**FAULTS["truncated"])).rest_only
    assert policy.after(failed(attempt=2)).rest_only  # nothing came: it still lacks the rest
    assert policy.after(failed(attempt=3, **FAULTS["truncated"])) is None
    assert not policy.after(failed()).rest_only


def test_botocores_bucket_runs_dry_and_is_filled_by_rescues():
    policy = made("botocore", retries=1)
    for _ in range(500 // 14):
        assert policy.after(failed()) is not None
        assert policy.after(failed(attempt=2)) is None  # lost: nothing is given back
    assert policy.after(failed()) is None
    policy = made("botocore", retries=1)
    for _ in range(500):
        assert policy.after(failed()) is not None  # and no failure after it: rescued


# -- when -----------------------------------------------------------------------------------------


def delays(name, retries=None, **given):
    return [answer.delay_s for answer in all_again(name, retries, **given)]


@pytest.mark.parametrize(
    "name", ["axios-retry-3", "axios-retry-4", "aiohttp", "curl", "go", "nginx", "tenacity", "urllib3"]
)
def test_at_once(name):
    assert set(delays(name, reused=name in ("go", "curl"))) == {0.0}


def test_undici_doubles_from_half_a_second_to_thirty():
    assert delays("undici", 9) == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_got_doubles_from_a_second_with_noise():
    for seed in range(20):
        policy = made("got", 5, seed)
        found = [policy.after(failed(attempt=attempt)).delay_s for attempt in range(1, 6)]
        assert all(base <= delay < base + 0.1 for base, delay in zip([1, 2, 4, 8, 16], found, strict=True))


def test_botocore_jitters_from_nothing_to_a_doubling_limit():
    for seed in range(50):
        policy = made("botocore", 14, seed)
        for attempt in range(1, 15):
            delay = policy.after(failed(attempt=attempt)).delay_s
            assert 0 <= delay <= min(0.05 * 2 ** (attempt - 1), 20)
    throttled = [made("botocore", 1, seed).after(failed(outcome=Outcome.HTTP_ERROR, status=429)).delay_s
                 for seed in range(50)]  # fmt: skip
    assert 0.5 < max(throttled) <= 1


@pytest.mark.parametrize("name", ["got", "botocore"])
def test_the_jitter_is_the_seeds(name):
    assert [made(name, seed=seed).after(failed()) for seed in (1, 2)] == [
        made(name, seed=seed).after(failed()) for seed in (1, 2)
    ]
    assert made(name, seed=1).after(failed()) != made(name, seed=2).after(failed())


@pytest.mark.parametrize(
    ("name", "said", "waits"),
    [
        ("axios-retry-3", 7, 0),
        ("axios-retry-4", 7, 7),
        ("axios-retry-4", 86_400, 86_400),  # no limit at all
        ("undici", 7, 7),
        ("undici", 60, 30),
        ("undici", 0, 0.5),
        ("got", 7, 7),
        ("urllib3", 7, 7),
        ("urllib3", 86_400, 21_600),  # Retry.DEFAULT_RETRY_AFTER_MAX
        ("urllib3", 0, 0),
        ("nginx", 7, None),
        ("go", 7, None),
        ("requests", 7, None),
    ],
)
def test_what_retry_after_says(name, said, waits):
    answer = again(name, retry_after_s=said, **FAULTS["503"])
    assert (answer and answer.delay_s) == waits


def test_urllib3_waits_for_a_503_with_retry_after_only_for_idempotent_methods():
    told = {"retry_after_s": 1.0, **FAULTS["503"]}
    assert [again("urllib3", method, **told) is not None for method in METHODS] == [True, True, False]


def test_got_gives_up_where_retry_after_is_longer_than_the_request_may_take():
    assert again("got", retry_after_s=5.0, timeout_s=4.0, **FAULTS["503"]) is None
    assert again("got", retry_after_s=5.0, timeout_s=6.0, **FAULTS["503"]) == Again(5.0)


def test_got_tries_413_again_only_when_told_when():
    too_large = {"outcome": Outcome.HTTP_ERROR, "status": 413}
    assert again("got", **too_large) is None
    assert again("got", retry_after_s=2.0, **too_large) == Again(2.0)


def test_botocore_does_not_look_at_retry_after():
    assert again("botocore", retry_after_s=60.0, **FAULTS["503"]).delay_s <= 0.05


# -- a shrinking deadline -------------------------------------------------------------------------


def test_axios_retry_gives_an_attempt_what_those_before_it_left():
    for name in ("axios-retry-3", "axios-retry-4", "nuxt-axios"):
        policy = made(name)
        first = policy.after(failed(elapsed_s=0.3, timeout_s=1.0))
        assert first.timeout_s == pytest.approx(0.7)
        second = policy.after(failed(attempt=2, elapsed_s=0.5, timeout_s=first.timeout_s))
        assert second.timeout_s == pytest.approx(0.5)
        assert policy.after(failed(elapsed_s=0.1, timeout_s=1.0)).timeout_s == pytest.approx(0.9)


def test_with_nothing_left_axios_retry_3_gives_a_millisecond_and_4_gives_up():
    spent = {"elapsed_s": 1.2, "timeout_s": 1.0}
    assert again("axios-retry-3", **spent).timeout_s == 0.001
    assert again("axios-retry-4", **spent) is None


def test_axios_retry_4_takes_the_delay_from_the_deadline():
    told = {"retry_after_s": 2.0, "elapsed_s": 1.0, "timeout_s": 10.0, **FAULTS["503"]}
    policy = made("axios-retry-4")
    first = policy.after(failed(**told))
    assert (first.delay_s, first.timeout_s) == (2.0, pytest.approx(7.0))
    second = policy.after(failed(**{**told, "attempt": 2, "elapsed_s": 4.0, "timeout_s": first.timeout_s}))
    assert second.timeout_s == pytest.approx(4.0)  # one second used, two to wait
    assert policy.after(failed(**{**told, "timeout_s": 3.0})) is None


@pytest.mark.parametrize("name", [name for name in POLICIES if "axios" not in name])
def test_the_others_give_every_attempt_the_same(name):
    answer = again(name, reused=True, elapsed_s=0.3, timeout_s=1.0)
    assert answer is None or answer.timeout_s is None


# -- whatever happens -----------------------------------------------------------------------------

STATUSES = st.none() | st.sampled_from([200, 404, 413, 429, 500, 503])


@st.composite
def failures(draw):
    """What can really be: what was not connected was not sent, what was not sent was not answered."""
    outcome = draw(st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.OK]))
    answered = outcome in (Outcome.TRUNCATED, Outcome.HTTP_ERROR)
    connected = answered or (outcome is not Outcome.REFUSED and draw(st.booleans()))
    sent = answered or (connected and draw(st.booleans()))
    status = draw(STATUSES) if answered else None
    return FailedAttempt(
        method=draw(st.sampled_from([*METHODS, "HEAD", "DELETE", "PATCH"])),
        outcome=outcome,
        reused=connected and draw(st.booleans()),
        sent=sent,
        status=503 if outcome is Outcome.HTTP_ERROR and status in (None, 200) else status,
        connected=connected,
        replayable=draw(st.booleans()),
        idempotency_key=draw(st.booleans()),
        retry_after_s=draw(st.none() | st.floats(0, 1e6)) if answered else None,
        timeout_s=draw(st.none() | st.floats(0.001, 1e3)),
        elapsed_s=draw(st.floats(0, 1e3)),
        response_began=answered,
        errno=draw(st.none() | st.sampled_from(["ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH"])),
    )


def numbered(attempts):
    """One request's: each with its number, and the time going on."""
    elapsed = 0.0
    for number, each in enumerate(attempts, 1):
        elapsed += each.elapsed_s
        yield replace(each, attempt=number, elapsed_s=elapsed)


@given(attempts=st.lists(failures(), min_size=1, max_size=6), retries=st.integers(0, 4))
def test_never_more_than_the_count_never_a_delay_below_zero(attempts, retries):
    for name in POLICIES:
        policy, followed = made(name, retries), 0
        for each in numbered(attempts):
            answer = policy.after(each)
            if answer is None:
                break
            assert answer.delay_s >= 0
            assert answer.timeout_s is None or answer.timeout_s > 0
            followed += not (name == "nginx" and each.reused)  # what nginx does not count
        assert followed <= retries, name


@given(each=failures())
def test_a_safe_policy_never_sends_again_what_may_have_been_carried_out(each):
    if each.sent and each.method in ("POST", "PATCH") and not each.idempotency_key:
        for name, module in POLICIES.items():
            assert repeats_unsafe(module) or made(name).after(each) is None, name


# -- tenacity -------------------------------------------------------------------------------------


def test_run_is_tenacitys():
    calls, slept = [], []

    def once():
        calls.append(len(calls))
        raise ConnectionResetError(f"number {len(calls)}")

    with pytest.raises(ConnectionResetError, match="number 4"):
        POLICIES["tenacity"].run(once, 3, slept.append)
    assert len(calls) == 4
    assert set(slept) <= {0}
    POLICIES["tenacity"].run(lambda: calls.append("ok"), 3, slept.append)
    assert calls[4:] == ["ok"]


def test_without_tenacity_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tenacity", None)
    for use in (lambda: made("tenacity"), lambda: POLICIES["tenacity"].run(lambda: None, 1, print)):
        with pytest.raises(EnvironmentProblem, match=r"pip install 'econnlab\[tenacity\]'"):
            use()
