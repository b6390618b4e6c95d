"""What Python's HTTP clients say, a JSON line for each failure: python_clients.py '[["fin", "http://..."]]'."""

import asyncio
import json
import sys
import traceback
import urllib.request
import warnings

import aiohttp
import httpx
import requests
import urllib3

warnings.simplefilter("ignore")
TIMEOUT_S = 1.0


def by_requests(url, twice):
    with requests.Session() as session:
        for _ in range(twice):
            session.post(url, data="x", timeout=TIMEOUT_S, verify=False)


def by_urllib3(url, twice):
    with urllib3.PoolManager(cert_reqs="CERT_NONE", retries=False) as pool:
        for _ in range(twice):
            pool.request("POST", url, body=b"x", timeout=TIMEOUT_S)


def by_urllib(url, twice):
    urllib.request.urlopen(url, timeout=TIMEOUT_S).read()


def by_httpx(url, twice):
    with httpx.Client(timeout=TIMEOUT_S, verify=False) as client:
        for _ in range(twice):
            client.post(url, content=b"x")


def by_aiohttp(url, twice):
    async def ask():
        timeout = aiohttp.ClientTimeout(sock_read=TIMEOUT_S, sock_connect=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for _ in range(twice):
                async with session.post(url, data=b"x", ssl=False) as response:
                    await response.read()

    asyncio.run(ask())


CLIENTS = {
    "requests": by_requests,
    "urllib3": by_urllib3,
    "urllib": by_urllib,
    "httpx": by_httpx,
    "aiohttp": by_aiohttp,
}


def main():
    for way, url in json.loads(sys.argv[1]):
        for name, ask in CLIENTS.items():
            try:
                ask(url, 2 if way == "second" else 1)
            except Exception as error:
                said = [traceback.format_exc(), traceback.format_exception_only(error)[-1].strip()]
                print(json.dumps({"program": name, "way": way, "said": said}), flush=True)


main()
