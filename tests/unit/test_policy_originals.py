"""Policies that are models, against the code of their originals, where that can be asked without a socket."""

import itertools
import random
from dataclasses import replace
from types import SimpleNamespace

import aiohttp.client
import botocore.awsrequest
import botocore.exceptions as aws
import botocore.retries.quota
import botocore.retries.standard as standard
import pytest
import tenacity
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from econnlab.client.retrying import FailedAttempt
from econnlab.discovery import parts
from econnlab.record.attempts import Outcome

POLICIES = parts("econnlab.client.policies")
#: Of a service for which botocore has no rules of its own.
OPERATION = SimpleNamespace(name="Any", error_shapes=[], service_model=SimpleNamespace(service_name="any"))


class AskedBotocore:
    """botocore's own handler, asked as botocore.endpoint asks it, and told of success as it is then."""

    def __init__(self, retries, seed):
        adapter = standard.RetryEventAdapter()
        throttling = standard.ThrottlingErrorDetector(adapter)
        self.quota = standard.RetryQuotaChecker(botocore.retries.quota.RetryQuota(), throttling)
        self.handler = standard.RetryHandler(
            standard.RetryPolicy(
                standard.StandardRetryConditions(retries + 1),
                standard.ExponentialBackoff(
                    random=random.Random(seed).random, throttling_detector=throttling
                ),
            ),
            adapter,
            self.quota,
        )
        self.context = {}

    def after(self, failed):
        if failed.attempt == 1:
            self.context = {}
        response = caught = None
        if failed.outcome is Outcome.HTTP_ERROR:
            headers = {} if failed.retry_after_s is None else {"Retry-After": str(failed.retry_after_s)}
            response = (
                botocore.awsrequest.AWSResponse("http://localhost/", failed.status, headers, None),
                {},
            )
        else:
            caught = self.raised_for(failed)
        return self.handler.needs_retry(
            response=response,
            attempts=failed.attempt,
            caught_exception=caught,
            operation=OPERATION,
            request_dict={"context": self.context},
        )

    @staticmethod
    def raised_for(failed):
        """As URLLib3Session.send turns urllib3's errors into botocore's."""
        where = {"endpoint_url": "http://localhost/", "error": None}
        if failed.outcome is Outcome.TIMEOUT:
            kind = aws.ReadTimeoutError if failed.connected else aws.ConnectTimeoutError
            return kind(**where)
        return (
            aws.ConnectionClosedError(**where) if failed.connected else aws.EndpointConnectionError(**where)
        )

    def succeeded(self):
        self.quota.release_retry_quota(self.context, http_response=SimpleNamespace(status_code=200))


FAILURES = st.builds(
    FailedAttempt,
    st.sampled_from(["GET", "PUT", "POST"]),
    st.sampled_from([Outcome.RESET, Outcome.CLOSED, Outcome.REFUSED, Outcome.TIMEOUT, Outcome.HTTP_ERROR]),
    reused=st.booleans(),
    sent=st.just(True),
    status=st.sampled_from([400, 404, 429, 500, 501, 502, 503, 504]),
    retry_after_s=st.none() | st.just(7.0),
).map(lambda each: each if each.outcome is Outcome.HTTP_ERROR else FailedAttempt(
    each.method, each.outcome, each.reused, sent=each.outcome is not Outcome.REFUSED,
    connected=each.outcome is not Outcome.REFUSED,
))  # fmt: skip
REQUESTS = st.lists(st.lists(FAILURES, min_size=1, max_size=5), min_size=1, max_size=8)


@given(requests=REQUESTS, retries=st.integers(0, 4), seed=st.integers(0, 9))
def test_botocore_decides_and_waits_the_same(requests, retries, seed):
    model, original = POLICIES["botocore"].policy(retries, random.Random(seed)), AskedBotocore(retries, seed)
    for attempts in requests:
        for attempt, each in enumerate(attempts, 1):
            told = replace(each, attempt=attempt)
            answer, delay = model.after(told), original.after(told)
            assert (answer and answer.delay_s) == delay
            if delay is None:
                break
        else:
            original.succeeded()


def test_botocores_bucket_runs_dry_at_the_same_request():
    model, original = POLICIES["botocore"].policy(2, random.Random(1)), AskedBotocore(2, 1)
    told = FailedAttempt("POST", Outcome.RESET, reused=True, sent=True)
    for number in itertools.count(1):
        answers = []
        for attempt in (1, 2, 3):
            answer, delay = (
                model.after(replace(told, attempt=attempt)),
                original.after(replace(told, attempt=attempt)),
            )
            assert (answer and answer.delay_s) == delay
            answers.append(answer)
        if answers[0] is None:
            assert number == 500 // (2 * 14) + 2  # the last of them had one retry
            return


def test_botocores_defaults():
    assert POLICIES["botocore"].RETRIES == standard.DEFAULT_MAX_ATTEMPTS - 1
    assert set(standard.TransientRetryableChecker._TRANSIENT_STATUS_CODES) == POLICIES["botocore"].STATUSES


def test_aiohttps_methods():
    assert aiohttp.client.IDEMPOTENT_METHODS == POLICIES["aiohttp"].IDEMPOTENT
    for error in (aiohttp.ServerTimeoutError, aiohttp.ClientPayloadError):
        assert not issubclass(error, aiohttp.ClientOSError | aiohttp.ServerDisconnectedError)


def test_urllib3s_defaults():
    assert Retry.DEFAULT.total == POLICIES["urllib3"].RETRIES
    assert urllib3.PoolManager().connection_pool_kw.get("retries") is None  # so that urlopen takes DEFAULT
    assert Retry(3).get_backoff_time() == 0


def test_requests_default():
    retry = HTTPAdapter().max_retries
    assert (retry.total, retry.read) == (POLICIES["requests"].RETRIES, False)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.OK])
def test_tenacity_decides_as_its_decorator_does(outcome):
    """What the policy asks step by step, and tenacity run whole."""
    told = FailedAttempt("POST", outcome, reused=False, sent=True, status=503)
    policy, followed = POLICIES["tenacity"].policy(3, random.Random(1)), 0
    while policy.after(replace(told, attempt=followed + 1)) is not None:
        followed += 1
    calls = []

    @tenacity.retry(stop=tenacity.stop_after_attempt(4), reraise=True)
    def once():
        calls.append(outcome)
        if outcome is not Outcome.HTTP_ERROR:
            raise ConnectionResetError
        return 503

    if outcome is Outcome.HTTP_ERROR:
        once()
    else:
        with pytest.raises(ConnectionResetError):
            once()
    assert len(calls) == followed + 1
