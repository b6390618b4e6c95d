"""urllib3, requests, tenacity and botocore as themselves: cells as JSON on stdin.

As originals.cjs takes them, with one JSON line each on stdout. Each cell has a thread and a pool of its own.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import requests
import tenacity
import urllib3
from botocore.awsrequest import AWSPreparedRequest
from botocore.httpsession import URLLib3Session
from botocore.retries import quota, standard

from econnlab.discovery import parts

BODY = b"one order\n"
RETRIES = {name: module.RETRIES for name, module in parts("econnlab.client.policies").items()}
#: Of a service for which botocore has no rules of its own.
OPERATION = SimpleNamespace(name="Any", error_shapes=[], service_model=SimpleNamespace(service_name="any"))
mine = threading.local()


def count_connections(event, arguments):
    """Each thread's, by the interpreter's own word (PEP 578)."""
    if event == "socket.connect":
        mine.connections = getattr(mine, "connections", 0) + 1


sys.addaudithook(count_connections)


def ask_urllib3(cell, headers, body):
    with urllib3.PoolManager(num_pools=1, maxsize=1) as pool:
        if cell["warm"]:
            pool.request("GET", cell["warm"], retries=False)
        timeout = cell["timeout"] / 1000
        return pool.request(cell["method"], cell["url"], body, headers=headers, timeout=timeout).status


def ask_requests(cell, headers, body):
    with requests.Session() as session:
        return asked_by_requests(session, cell, headers, body, lambda ask: ask())


def ask_tenacity(cell, headers, body):
    stop = tenacity.stop_after_attempt(RETRIES["tenacity"] + 1)
    with requests.Session() as session:
        return asked_by_requests(session, cell, headers, body, tenacity.Retrying(stop=stop))


def asked_by_requests(session, cell, headers, body, call):
    session.trust_env = False
    if cell["warm"]:
        session.get(cell["warm"])
    how = {"data": body, "headers": headers, "timeout": cell["timeout"] / 1000}
    return call(lambda: session.request(cell["method"], cell["url"], **how)).status_code


def ask_botocore(cell, headers, body):
    """What botocore.endpoint does about botocore.retries.standard, with its own HTTP session."""
    session = URLLib3Session(timeout=cell["timeout"] / 1000, max_pool_connections=1)
    adapter = standard.RetryEventAdapter()
    throttling = standard.ThrottlingErrorDetector(adapter)
    handler = standard.RetryHandler(
        standard.RetryPolicy(
            standard.StandardRetryConditions(), standard.ExponentialBackoff(throttling_detector=throttling)
        ),
        adapter,
        standard.RetryQuotaChecker(quota.RetryQuota(), throttling),
    )
    if cell["warm"]:
        session.send(AWSPreparedRequest("GET", cell["warm"], {}, None, False))
    context = {}
    try:
        for attempt in range(1, 100):
            response = caught = None
            try:
                answer = session.send(AWSPreparedRequest(cell["method"], cell["url"], headers, body, False))
                response = (answer, {})
            except Exception as error:  # as botocore.endpoint, _do_get_response
                caught = error
            delay = handler.needs_retry(
                response=response,
                attempts=attempt,
                caught_exception=caught,
                operation=OPERATION,
                request_dict={"context": context},
            )
            if delay is None:
                if caught is not None:
                    raise caught
                return answer.status_code
    finally:
        session.close()


def ask(cell):
    headers = {"X-Econnlab-Request": cell["id"]}
    line = {"id": cell["id"]}
    mine.connections = 0
    try:
        library = globals()[f"ask_{cell['library']}"]
        line["status"] = library(cell, headers, None if cell["method"] == "GET" else BODY)
    except Exception as error:  # each library has its own
        line["error"] = repr(error)
    line["tries"] = mine.connections - bool(cell["warm"])
    return json.dumps(line)


with ThreadPoolExecutor(16) as threads:
    for line in threads.map(ask, json.load(sys.stdin)):
        print(line)
