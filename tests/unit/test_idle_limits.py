"""What idle limits allow, what Keep-Alive headers say, and what importing them loads."""

import copy
import math
import pickle
import subprocess
import sys
from types import SimpleNamespace

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager

from econnlab.client import IdleLimitAdapter, IdleLimits, limit_idle
from econnlab.client.idle_clock import clock, idle_s
from econnlab.client.idle_limit import advertised_timeout_s
from econnlab.errors import UsageProblem


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("timeout=5", 5),
        ("timeout=5, max=100", 5),
        ("max=100, timeout=5", 5),
        ("TIMEOUT = 5", 5),
        ('timeout="5"', 5),
        ("timeout=5;max=100", 5),
        ("timeout=5.5", 5.5),
        ("timeout=0", 0),
        ("timeout=60, timeout=5", 5),  # as urllib3 joins several headers
        ("timeout=60, timeout=soon", 60),
        ("timeout=" + "9" * 40, 1e40),
        ("timeout=" + "9" * 400, None),  # too long to mean anything
        ("max=100", None),
        ("", None),
        ("timeout", None),
        ("timeout=", None),
        ("timeout=-5", None),
        ("timeout=5s", None),
        ("timeout=5 10", None),
        ("timeout=0x10", None),
        ("timeout=1e3", None),
        ("timeout=NaN", None),
        ("timeout=²", None),
        ("timeout=٥", None),
        ('timeout="5', None),
        ("xtimeout=5", None),
        ("keep-alive", None),
    ],
)
def test_what_a_header_says(header, seconds):
    assert advertised_timeout_s(header) == seconds


@given(
    st.text(st.characters(max_codepoint=255), max_size=300)
    | st.from_regex(r"[a-z]*timeout *=.*", fullmatch=True)
)
def test_no_header_upsets_the_reader(header):
    seconds = advertised_timeout_s(header)
    assert seconds is None or 0 <= seconds < math.inf


@given(st.integers(0, 10**9), st.sampled_from(["max=7", 'x="y"', "z"]), st.sampled_from([",", ", ", " ,\t"]))
def test_what_a_sound_header_says_is_found_on_either_side(seconds, other, comma):
    assert advertised_timeout_s(f"timeout={seconds}{comma}{other}") == seconds
    assert advertised_timeout_s(f"{other}{comma}Timeout={seconds}") == seconds


@pytest.mark.parametrize(
    ("limits", "advertised", "allowed"),
    [
        (IdleLimits(), 5, 4),
        (IdleLimits(), 1, 0),
        (IdleLimits(), 0, 0),
        (IdleLimits(idle_limit=3), 5, 3),
        (IdleLimits(idle_limit=30), 5, 4),
        (IdleLimits(keep_alive_margin=0.5), 5, 4.5),
        (IdleLimits(idle_limit=30, honour_keep_alive=False), 5, 30),
        (IdleLimits(honour_keep_alive=False), 5, None),
    ],
)
def test_what_limits_allow(limits, advertised, allowed):
    assert limits.allowed_s(advertised) == allowed


@pytest.mark.parametrize("nonsense", [-1, -0.001, math.nan, math.inf, "5", "5s"])
@pytest.mark.parametrize("name", ["idle_limit", "keep_alive_margin"])
@pytest.mark.parametrize("kind", [IdleLimits, IdleLimitAdapter])
def test_nonsense_is_refused_with_what_to_give_instead(kind, name, nonsense):
    with pytest.raises(UsageProblem, match=rf"{name}: .*{nonsense!r}[^\n]*\nGive seconds"):
        kind(**{name: nonsense})


def test_a_margin_of_none_is_nonsense_and_a_limit_of_none_is_not():
    IdleLimits(idle_limit=None)
    with pytest.raises(UsageProblem):
        IdleLimits(keep_alive_margin=None)


def test_an_adapter_keeps_its_limits_and_settings_when_copied_and_pickled():
    adapter = IdleLimitAdapter(3, 4, 5, True, idle_limit=7, honour_keep_alive=False, keep_alive_margin=2)
    for other in (pickle.loads(pickle.dumps(adapter)), copy.copy(adapter), copy.deepcopy(adapter)):
        assert type(other) is IdleLimitAdapter
        assert other.idle_limits == IdleLimits(7, False, 2)
        assert (other._pool_connections, other._pool_maxsize, other._pool_block) == (3, 4, True)
        assert other.max_retries.total == 5
        assert other.poolmanager is not adapter.poolmanager
        assert other.poolmanager.idle_limits == adapter.idle_limits
        assert other.proxy_manager_for("http://127.0.0.1:9").idle_limits == adapter.idle_limits


def test_an_adapter_has_one_manager_a_proxy():
    adapter = IdleLimitAdapter()
    assert isinstance(adapter, HTTPAdapter)
    manager = adapter.proxy_manager_for("http://127.0.0.1:9")
    pool = manager.connection_from_url("http://shop/")
    assert adapter.proxy_manager_for("http://127.0.0.1:9") is manager
    assert manager.connection_from_url("http://shop/") is pool


def test_what_makes_no_pools_is_refused_and_left_as_it_was():
    pool = HTTPConnectionPool("127.0.0.1", 9)
    for other in (pool, requests.Session(), None):
        before = type(other)
        with pytest.raises(UsageProblem, match=f"PoolManager, found {before.__name__}"):
            limit_idle(other, IdleLimits(4))
        assert type(other) is before


def test_an_adapters_manager_may_be_a_stand_in():
    adapter, stand_in = IdleLimitAdapter(idle_limit=4), SimpleNamespace()
    adapter.poolmanager = stand_in
    assert adapter.poolmanager is stand_in


@pytest.mark.parametrize("make", [PoolManager, lambda: ProxyManager("http://127.0.0.1:9")])
def test_a_limited_manager_is_what_it_was(make):
    plain, limited = make(), limit_idle(make(), IdleLimits(5))
    assert isinstance(limited, type(plain))
    for scheme in ("http", "https"):
        was, now = (each.connection_from_url(f"{scheme}://shop/") for each in (plain, limited))
        assert isinstance(now, type(was))
        assert str(now) == str(was)  # as it stands in the messages of errors
        assert now.ConnectionCls is was.ConnectionCls


def test_limits_can_be_changed_and_old_pools_are_forgotten():
    manager = PoolManager()
    unlimited = manager.connection_from_url("http://shop/")
    limit_idle(manager, IdleLimits(5))
    first = manager.connection_from_url("http://shop/")
    assert limit_idle(manager, IdleLimits(7)) is manager
    second = manager.connection_from_url("http://shop/")
    assert len({unlimited, first, second}) == 3
    assert len(manager.pools) == 1
    assert (first.idle_limits.idle_limit, second.idle_limits.idle_limit) == (5, 7)
    assert type(first) is type(second)


def test_what_the_kernel_does_not_tell_is_measured():
    since = clock() - 3
    no_socket = SimpleNamespace()
    assert 3 <= idle_s(no_socket, since) < 3 + 60
    assert 3 <= idle_s(None, since) < 3 + 60


@pytest.mark.parametrize(
    ("code", "loads"),
    [
        ("import econnlab.client", set()),
        ("from econnlab.client import limit_idle, IdleLimits", {"urllib3"}),
        ("from econnlab.client import IdleLimitAdapter", {"urllib3", "requests"}),
    ],
)
def test_a_name_loads_what_it_needs_and_no_more(code, loads):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*({{'urllib3', 'requests'}} & {{*sys.modules}}))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == loads


def test_the_room_knows_its_names_and_no_others():
    import econnlab.client

    assert set(econnlab.client.__all__) <= set(dir(econnlab.client))
    with pytest.raises(AttributeError, match="no attribute 'IdleLimitsAdapter'"):
        _ = econnlab.client.IdleLimitsAdapter
