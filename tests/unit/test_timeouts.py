"""The table of default timeouts: its files, the finding of names, the page; chains and their judgement."""

import csv
import inspect
import io
import json
import re
from decimal import Decimal
from itertools import combinations

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.advice.idle import OFF, UNLIMITED, last_second, next_second, parse_idle, said, spelled
from econnlab.advice.product import (
    FOLDER,
    Advertises,
    Drops,
    Kind,
    choose,
    products,
    read_product,
    setting,
)
from econnlab.advice.versions import parse_version, parse_versions
from econnlab.commands.timeouts.chain import MARGIN_MS, Chain, parse_chain, read_chain
from econnlab.commands.timeouts.judging import Safety, judge
from econnlab.errors import UsageProblem
from tests.support.schemas import schema
from tests.unit.test_house import modules_loaded_by

TABLE = schema("timeouts", "table.schema.json")
CHAIN = schema("timeouts", "chain.schema.json")
#: A source is an address, or says what was looked at, of which version.
SOURCE = re.compile(r"https://\S+\.\S+/|(read (in|from)|measured here|seen:).* .*\d+\.\d+")


# -- the files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", products().values(), ids=products())
def test_every_entry_has_sources_and_what_can_be_shown(product):
    assert product.sources
    assert all(SOURCE.match(source) for source in product.sources), product.sources
    shown = (product.title, *product.aliases, *product.about, *product.sources, product.instead)
    assert all(text.isprintable() for text in shown)
    assert all(text.endswith(".") for text in (*product.about, *filter(None, [product.instead])))
    for template in (product.set_closes, product.set_reuses):
        assert not template or setting(template, Decimal(7000)) != setting(template, Decimal(8000))
    assert product.set_closes or product.instead or product.kind in (Kind.CLIENT, Kind.BALANCER)
    if product.kind in (Kind.CLIENT, Kind.PROXY) and product.releases[-1].reuses is not None:
        assert product.set_reuses or product.instead


@pytest.mark.parametrize("product", products().values(), ids=products())
def test_every_time_is_positive_and_on_a_side_that_is_there(product):
    for release in product.releases:
        times = [time for time in (release.closes, release.reuses) if time not in (None, OFF)]
        assert times or OFF in (release.closes, release.reuses)
        assert all(time > 0 for time in times)
        if product.kind is Kind.CLIENT:
            assert release.closes is None and release.advertises is Advertises.NO
        else:
            assert release.honours_less_ms is None
        if product.kind in (Kind.SERVER, Kind.NAT):
            assert release.reuses is None and release.closes is not None
        assert product.kind is Kind.NAT or release.drops is Drops.UNKNOWN


@pytest.mark.parametrize("product", products().values(), ids=products())
def test_no_version_is_in_two_releases_and_the_newest_is_last(product):
    ranges = [release.covers for release in product.releases]
    if len(ranges) == 1:
        return
    assert all(release.versions for release in product.releases)
    ends = {end for covers in ranges for pair in covers.ranges for end in pair if end is not None}
    for version in {*ends, *((*end, 0) for end in ends), *((*end, 99) for end in ends)}:
        assert sum(covers.hold(version) for covers in ranges) <= 1, version
    newest = max(ends, key=lambda end: (*end, *[10**6] * (3 - len(end))))  # 3 is after 3.10
    assert any(pair[1] in (newest, None) for pair in ranges[-1].ranges)


def test_no_two_products_share_a_name():
    for one, other in combinations(products().values(), 2):
        mine, theirs = (
            {each.lower() for each in (product.title, *product.aliases)} for product in (one, other)
        )
        assert not mine & theirs, (one.name, other.name)


def test_a_wrong_file_is_named_with_its_key():
    with pytest.raises(UsageProblem, match=r"x\.toml: releases\[0\]: '0' may mean"):
        read_product(
            'title="x"\nkind="server"\naliases=["x"]\nsources=["y"]\n[[releases]]\ncloses_after="0"', "x.toml"
        )
    with pytest.raises(UsageProblem, match=r"x\.toml: kind: expected one of client"):
        read_product('title="x"\nkind="thing"\naliases=["x"]\nsources=[]\nreleases=[]', "x.toml")
    with pytest.raises(UsageProblem, match=r"x\.toml is not TOML"):
        read_product("title", "x.toml")


# -- held against what is installed ---------------------------------------------------------------


def default(name, version=""):
    release = choose(name + version).release
    return release.closes if release.closes is not None else release.reuses


def argument(function, name):
    return Decimal(str(inspect.signature(function).parameters[name].default)) * 1000


def test_uvicorn_is_as_installed():
    uvicorn = pytest.importorskip("uvicorn")
    assert default("uvicorn") == argument(uvicorn.Config.__init__, "timeout_keep_alive")


def test_gunicorn_is_as_installed():
    config = pytest.importorskip("gunicorn.config")
    assert default("gunicorn") == config.Keepalive.default * 1000


def test_aiohttp_is_as_installed():
    web, protocol = pytest.importorskip("aiohttp.web"), pytest.importorskip("aiohttp.web_protocol")
    connector = pytest.importorskip("aiohttp.connector")
    assert default("aiohttp.web") == argument(web.run_app, "keepalive_timeout")
    assert default("aiohttp-runner") == argument(protocol.RequestHandler.__init__, "keepalive_timeout")
    assert "keepalive_timeout = 15.0" in inspect.getsource(connector.BaseConnector.__init__)
    assert default("aiohttp") == 15_000


def test_httpx_is_as_installed():
    httpx = pytest.importorskip("httpx")
    assert default("httpx") == argument(httpx.Limits.__init__, "keepalive_expiry")


def test_urllib3_still_has_no_idle_limit():
    import urllib3

    names = {
        *inspect.signature(urllib3.HTTPConnectionPool).parameters,
        *urllib3.PoolManager.__init__.__annotations__,
    }
    assert not [name for name in names if "idle" in name or "keepalive" in name]
    assert default("urllib3") == UNLIMITED


# -- names and versions ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "versions"),
    [
        ("node", "node", "20.18..20, 22.9..26"),
        ("NODE20", "node", "20.18..20, 22.9..26"),
        ("node@20.17", "node", "12.19..12, 14.8..20.17, 21..22.8"),
        ("node@20.17.1", "node", "12.19..12, 14.8..20.17, 21..22.8"),
        ("node-20.18", "node", "20.18..20, 22.9..26"),
        ("nodev22.8", "node", "12.19..12, 14.8..20.17, 21..22.8"),
        ("node 18", "node", "12.19..12, 14.8..20.17, 21..22.8"),
        ("node8", "node", "8..12.18, 13..14.7"),
        ("node7", "node", "..7"),
        ("urllib3", "requests", ""),
        ("hc5", "httpclient5", "5"),
        ("puma6", "puma", "5..6"),
        ("jdk17", "jdk-httpclient", "11..19"),
        ("java21", "jdk-httpclient", "20.."),
        ("nginx@1.22", "nginx", "1.15.3..1.29.6"),
        ("Node.js http server", "node", "20.18..20, 22.9..26"),
        ("sanic23", "sanic", "23.6.."),
    ],
)
def test_names_find_their_product_and_version(text, name, versions):
    choice = choose(text)
    assert (choice.product.name, choice.release.versions) == (name, versions)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nginxx", "Did you mean nginx"),
        ("uvicron", "uvicorn"),
        ("qqqq", "Nothing is close"),
        ("node27", "node=TIME"),
        ("node@x", "Give numbers"),
        ("", "Nothing is close"),
        ("\x1b[31m", "lists them all"),
    ],
)
def test_what_is_unknown_gets_a_way_out(text, said):
    with pytest.raises(UsageProblem) as raised:
        choose(text)
    assert said in raised.value.hint
    assert raised.value.message.isprintable()


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=3), st.lists(st.integers(0, 40), min_size=1, max_size=2)
)
def test_a_range_holds_what_begins_with_its_ends(version, end):
    spelled_end, version = ".".join(map(str, end)), tuple(version)
    within = version[: len(end)] == tuple(end)
    if within:
        assert parse_versions(spelled_end).hold(version)
    assert parse_versions(f"..{spelled_end}").hold(version) or parse_versions(f"{spelled_end}..").hold(
        version
    )


def test_a_version_without_its_end_is_the_latest():
    assert parse_versions("20.18..").hold(parse_version("20"))
    assert not parse_versions("..20.17").hold(parse_version("20"))
    assert parse_versions("..20").hold(parse_version("20.17"))


# -- idle times -----------------------------------------------------------------------------------


@given(st.integers(1, 80_000_000))
def test_an_idle_time_reads_back_as_it_is_said(milliseconds):
    assert parse_idle(spelled(Decimal(milliseconds))) == milliseconds


def test_words_and_zeros():
    assert (parse_idle(" Off "), parse_idle("unlimited")) == (OFF, UNLIMITED)
    assert (said(OFF), said(UNLIMITED), said(Decimal(250)), said(Decimal(4999))) == (
        "off", "unlimited", "250 ms", "4.999 s",
    )  # fmt: skip
    for text in ("0", "0s", "-5", "soon", ""):
        with pytest.raises(UsageProblem) as raised:
            parse_idle(text)
        assert "unlimited" in raised.value.hint


@given(st.decimals("0.001", 10_000_000, places=3))
def test_rounding_never_crosses(milliseconds):
    assert last_second(milliseconds) <= milliseconds <= next_second(milliseconds)


# -- chains ---------------------------------------------------------------------------------------


def verdicts(*hops, **options):
    return [each.safety.value for each in judge(parse_chain(hops, **options))]


@pytest.mark.parametrize(
    ("hops", "expected"),
    [
        ("nginx=75s node20=5s alb=60s", "safe unsafe"),  # the issue's own: alb, nginx, node20
        ("alb nginx@1.22 uvicorn", "safe safe"),  # which opens a connection for each request
        ("alb nginx@1.22=/60s uvicorn", "safe unsafe"),
        ("alb nginx@1.22/60s uvicorn=62s", "safe safe"),
        ("httpx uvicorn", "unsafe"),  # equal is the worst case
        ("httpx uvicorn=6s", "safe"),
        ("httpx=5s uvicorn=5.5s", "tight"),
        ("httpx=5s uvicorn=5501", "tight"),
        ("httpx=5s uvicorn=5502", "safe"),
        ("httpx=5s uvicorn=5001", "unsafe"),  # one round trip: within it the request crosses the FIN
        ("httpx=5s uvicorn=5002", "tight"),
        ("httpx node18", "unsafe"),
        ("httpx node20", "tight"),  # equal: the hidden second is no margin
        ("alb node20=60s", "tight"),
        ("alb node20=65s", "safe"),
        ("httpx node20=4s", "unsafe"),
        ("requests uvicorn", "unsafe"),
        ("requests gunicorn-sync", "safe"),  # closes, and says so
        ("requests go", "safe"),  # never closes
        ("requests uvicorn=unlimited", "safe"),
        ("requests=off uvicorn", "safe"),
        ("node-agent node20", "safe"),  # follows the header
        ("node-agent-own node20", "unsafe"),  # does not
        ("node-agent node18", "safe"),  # a second less than it says
        ("node-agent@20.17 node@20.17", "unsafe"),  # to the dot
        ("node-agent@20.17 node@20.18", "tight"),  # equal but for the hidden second
        ("node-agent apache", "safe"),  # asked for
        ("dotnet8 apache", "unsafe"),  # not asked for
        ("dotnet8 node18", "safe"),
        ("node-agent node20=1s", "safe"),  # a hint of nothing left: not reused
        ("fetch node18=2m", "safe"),
        ("urlconnection node18", "unsafe"),
        ("hc4 node20", "tight"),  # to the dot what the header says
        ("hc4 uvicorn", "unsafe"),
        ("alb waitress", "safe"),
        ("alb puma6", "unsafe"),
        ("alb puma7", "safe"),
        ("gcp kestrel", "unsafe"),
        ("heroku gunicorn=95s", "safe"),
        ("okhttp natgw uvicorn=310s", "safe safe"),
        ("go-client=10m natgw uvicorn=2h", "safe unsafe"),
        ("go-client=350s natgw uvicorn=2h", "safe unsafe"),
        ("go-client=349700 natgw uvicorn=2h", "safe tight"),
        ("requests natgw uvicorn", "unsafe safe"),  # the server closes long before
        ("requests natgw uvicorn=unlimited", "safe unsafe"),
        ("requests natgw gunicorn-sync", "safe safe"),
        ("requests natgw=unlimited go", "safe safe"),
        ("okhttp azure-lb nlb uvicorn=6m", "safe unsafe safe"),
        ("aiohttp haproxy=50s/off uvicorn", "safe safe"),
        ("cloudfront=10s alb uvicorn=65s", "safe safe"),
    ],
)  # fmt: skip
def test_each_pair_is_judged(hops, expected):
    assert verdicts(*hops.split()) == expected.split()


def test_the_window_is_a_round_trip_wide_just_below_the_close():
    (judgement,) = judge(parse_chain(["requests", "node20=5s"], rtt="30ms"))
    assert judgement.window is not None
    assert (judgement.window.from_ms, judgement.window.until_ms) == (5970, 6000)
    assert "a window of 30 ms" in judgement.reason


@pytest.mark.parametrize(
    ("hops", "window"),
    [
        ("requests=4.99s uvicorn", None),
        ("requests=4999 uvicorn", None),  # exactly a round trip: nothing between the two
        ("requests=4999.5 uvicorn", ("4999", "4999.5")),  # it lets go in the middle of it
        ("requests uvicorn", ("4999", "5000")),
        ("requests waitress", ("119999", "150000")),  # whenever it looks
        ("http.client uvicorn", ("4999", "Infinity")),  # it never looks
        ("http.client=9s uvicorn", ("4999", "9000")),
    ],
)
def test_windows(hops, window):
    (judgement,) = judge(parse_chain(hops.split()))
    found = judgement.window
    expected = None if window is None else tuple(map(Decimal, window))
    assert (None if found is None else (found.from_ms, found.until_ms)) == expected


@pytest.mark.parametrize(
    ("hops", "changes"),
    [
        (
            "alb node20=5s",
            ["node20: at least 65 s, as server.keepAliveTimeout = 65000",
             "alb: at most 4 s, as idle_timeout.timeout_seconds=4; "
             "but it also ends answers that are silent for longer (504)"],
        ),
        (
            "nginx=/60s uvicorn",
            ["uvicorn: at least 65 s, as uvicorn --timeout-keep-alive 65",
             "nginx: at most 4 s, as keepalive_timeout 4s; (in the upstream block)"],
        ),
        ("httpx uvicorn=1s", ["uvicorn: at least 6 s, as uvicorn --timeout-keep-alive 6",
                              "httpx: at most 400 ms, as httpx.Limits(keepalive_expiry=0.4)"]),
        (
            "go-client gunicorn=500ms",
            ["gunicorn: at least 95 s, as gunicorn --keep-alive 95",
             "go-client: no reuse at all, as Connection: close does; the time is too short for any"],
        ),
    ],
)  # fmt: skip
def test_the_change_is_one_that_makes_it_safe(hops, changes):
    (judgement,) = judge(parse_chain(hops.split()))
    assert list(judgement.changes) == changes


def test_no_setting_has_a_value_that_its_product_refuses():
    for name in ("nginx", "haproxy", "kong", "haproxy-ingress"):
        for template in (products()[name].set_closes, products()[name].set_reuses):
            assert "0.4s" not in setting(template, Decimal(400)), "keepalive_timeout 0.5s fails nginx -t"
    (judgement,) = judge(parse_chain(["alb", "uvicorn=1s"]))
    assert judgement.changes[-1].startswith("alb: no reuse at all"), "it takes whole seconds"


@pytest.mark.parametrize(
    ("hop", "said"), [("node20", "others of 20 differ"), ("node@20.18", ""), ("node18", "")]
)
def test_a_version_that_does_not_decide_is_asked_for(cli, hop, said):
    done = cli.run("timeouts", "check", "alb", f"{hop}=65s")
    assert done.returncode == 0 and said in done.stderr and ("differ" in done.stderr) == bool(said)


IDLE = st.one_of(st.just("off"), st.just("unlimited"), st.integers(1, 200_000).map(str))
ASKERS = [p.name for p in products().values() if p.releases[-1].reuses is not None and p.kind is not Kind.NAT]
SERVERS = [p.name for p in products().values() if p.kind is Kind.SERVER]
RANK = [Safety.SAFE, Safety.TIGHT, Safety.UNSAFE]


def one(asker, server, **options):
    (judgement,) = judge(parse_chain([asker, server], **options))
    return judgement


@given(
    st.sampled_from(ASKERS), IDLE, st.sampled_from(SERVERS), st.integers(1, 200_000), st.integers(0, 200_000)
)
def test_a_longer_timeout_downstream_never_makes_it_worse(asker, idle, server, timeout, more):
    # But for a client that follows the header: its own limit then grows along.
    if choose(asker).release.hint_replaces:
        return
    before, after = (one(f"{asker}=/{idle}", f"{server}={time}") for time in (timeout, timeout + more))
    assert RANK.index(after.safety) <= RANK.index(before.safety)


@given(st.sampled_from(ASKERS), st.integers(1, 200_000), st.sampled_from(SERVERS), st.integers(1, 200_000))
def test_what_is_advised_is_safe(asker, idle, server, timeout):
    judgement = one(f"{asker}=/{idle}", f"{server}={timeout}")
    assert bool(judgement.changes) == (judgement.safety is not Safety.SAFE)
    for change in judgement.changes:
        if match := re.match(r"(\S+): at (least|most) (\S+) (ms|s), as ", change):
            time = f"{match[3]}{match[4]}"
            fixed = (
                one(f"{asker}=/{idle}", f"{server}={time}")
                if match[2] == "least"
                else one(f"{asker}=/{time}", f"{server}={timeout}")
            )
            assert fixed.safety is Safety.SAFE, change


@given(
    st.sampled_from(ASKERS), IDLE, st.sampled_from(SERVERS), IDLE, st.integers(0, 500), st.integers(0, 2000)
)
def test_a_window_is_told_only_where_it_is_unsafe_and_then_it_can_be_met(
    asker, idle, server, timeout, rtt, margin
):
    judgement = one(f"{asker}=/{idle}", f"{server}={timeout}", rtt=str(rtt), margin=str(margin))
    if judgement.window is not None:
        assert judgement.safety is Safety.UNSAFE
        assert judgement.window.from_ms < judgement.window.until_ms <= judgement.limit.ms
        assert judgement.window.from_ms >= judgement.closes_at_ms - rtt
    if judgement.safety is Safety.SAFE:
        assert (
            judgement.limit.ms == OFF
            or judgement.closes_at_ms == OFF
            or (
                judgement.closes_at_ms > judgement.limit.ms + rtt + margin
                or judgement.closes_at_ms == UNLIMITED
            )
        )


@pytest.mark.parametrize(
    ("hops", "said"),
    [
        (["uvicorn"], "at least two"),
        (["httpx", "requests"], "can only stand first"),
        (["uvicorn", "node"], "can only stand last"),
        (["natgw", "uvicorn"], "between two others"),
        (["alb", "natgw"], "between two others"),
        (["nginx=75s", "uvicorn"], "nginx=/IDLE"),
        (["alb", "nginx=75s/60s"], "there is no upstream"),
        (["httpx", "haproxy", "uvicorn"], "haproxy=IDLE"),
        (["traefik", "uvicorn"], "traefik=/IDLE"),
        (["httpx", "uvicorn=5s/6s"], "a server has no upstream"),
        (["httpx", "natgw=1s/2s", "uvicorn"], "one time only"),
        (["httpx", "uvicorn=0"], "may mean no keep-alive"),
        (["httpx", "uvicorn="], "nothing stands behind"),
        (["httpx", "uvicorn=5s=6s"], "unknown unit"),
        (["httpx", "=5s"], "no hop"),
        (["httpx=/", "uvicorn"], "not a duration"),
        (["httpx", "cloudfront", "uvicorn"], "towards its clients"),
        (["httpx", "\x1b[31m"], "No product"),
    ],
)
def test_what_cannot_be_is_refused_with_a_way_out(hops, said):
    with pytest.raises(UsageProblem) as raised:
        parse_chain(hops)
    assert said in str(raised.value)
    assert raised.value.hint


def test_round_trips_are_one_for_all_or_one_for_each_pair():
    hops = ["httpx", "alb", "uvicorn"]
    assert [hop.rtt_ms for hop in parse_chain(hops, rtt="30ms").hops][:2] == [30, 30]
    assert [hop.rtt_ms for hop in parse_chain(hops, rtt="30ms,1ms").hops][:2] == [30, 1]
    for rtt in ("1,2,3", "1,,2", "soon"):
        with pytest.raises(UsageProblem):
            parse_chain(hops, rtt=rtt)


@given(
    st.lists(
        st.sampled_from(["alb", "httpx", "uvicorn=5s", "nginx/4s", "natgw", "haproxy=50s/off"]), max_size=5
    )
)
def test_any_order_is_judged_or_refused_in_a_sentence(words):
    try:
        chain = parse_chain(words)
    except UsageProblem as problem:
        assert problem.hint
    else:
        assert judge(chain)
        assert sorted(hop.label for hop in chain.hops) == sorted(re.split("[=/]", word)[0] for word in words)


FILE = """
margin = 1000
[[hop]]
name = "requests"
[[hop]]
name = "alb"
idle = "60s"
rtt = "2ms"
[[hop]]
name = "node20"
label = "orders\\u001b[31m"
clients = 65_000
"""


def test_a_file_is_a_chain_in_its_own_order():
    chain = read_chain(FILE, "chain.toml")
    assert chain.margin_ms == 1000
    assert [hop.rtt_ms for hop in chain.hops] == [1, 2, 1]
    assert [hop.closes_ms for hop in chain.hops] == [None, 60_000, 65_000]
    assert [each.safety.value for each in judge(chain)] == ["unsafe", "safe"]
    assert chain.spelled.isprintable()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hop", "is not TOML"),
        ("[[hop]]\nname = 'httpx'\n", "at least two"),
        ("[[hop]]\nnaem = 'httpx'\n", r"hop\[0\]\.naem: there is no such key"),
        ("[[hop]]\nidle = '5s'\n", r"hop\[0\]\.name: it is missing"),
        ("hop = 5", "hop: expected a list"),
        ("[[hop]]\nname = 'uvicorn'\n[[hop]]\nname = 'httpx'\n", "can only stand"),
        ("[[hop]]\nname = 'httpx'\nclients = '5s'\n", r"hop\[0\]: a client has no clients"),
        ("rtt = 'x'\nhop = []", "'x' is not a duration"),
        ("margin = true\nhop = []", "margin: expected text"),
    ],
)
def test_a_wrong_chain_file_is_named_with_its_place(text, said):
    with pytest.raises(UsageProblem, match=rf"c\.toml.*{said}"):
        read_chain(text, "c.toml")


# -- through the command line ---------------------------------------------------------------------


def test_the_table_lists_every_product(cli):
    done = cli.run("timeouts")
    assert (done.returncode, done.stderr) == (0, "")
    assert {product.name for product in products().values()} <= set(re.findall(r"^ (\S+)", done.stdout, re.M))


def test_one_name_shows_its_entry_whole(cli):
    done = cli.run("timeouts", "nginx")
    assert done.returncode == 0
    assert done.stdout.startswith("nginx\n")
    for source in products()["nginx"].sources:
        assert source.split()[0] in done.stdout
    assert "keepalive_timeout Ns; (in the upstream block)" in done.stdout


def test_names_and_kinds_narrow_the_table(cli):
    rows = cli.run("timeouts", "node20", "puma", "alb").stdout
    assert "20.18..20" in rows and "..7 " not in rows and "5..6" in rows
    only = cli.run("timeouts", "--kind", "nat").stdout
    assert "natgw" in only and "uvicorn" not in only
    none = cli.run("timeouts", "nginx", "--kind", "nat")
    assert none.returncode == 2 and "None of them is a nat" in none.stderr


def test_an_unknown_name_is_usage(cli):
    done = cli.run("timeouts", "nginxx")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean nginx" in done.stderr


def test_the_table_as_json_fits_its_schema_and_as_csv_has_its_rows(cli):
    document = json.loads(cli.run("timeouts", "--json", "-").stdout)
    jsonschema.validate(document, TABLE)
    assert len(document["products"]) == len(products())
    rows = list(csv.DictReader(io.StringIO(cli.run("timeouts", "--csv", "-").stdout)))
    assert len(rows) == sum(len(product.releases) for product in products().values())
    (uvicorn,) = (row for row in rows if row["name"] == "uvicorn")
    assert (uvicorn["closes_after_ms"], uvicorn["reuses_for_ms"]) == ("5000", "")


def test_the_issues_own_chain(cli):
    done = cli.run("timeouts", "check", "nginx=75s", "node20=5s", "alb=60s")
    assert done.returncode == 1
    assert re.findall(r"^(\w+) +(\S+ -> \S+)$", done.stdout, re.M) == [
        ("safe", "alb -> nginx"), ("unsafe", "nginx -> node20"),
    ]  # fmt: skip
    assert "read by kind: alb -> nginx -> node20" in done.stderr
    assert "nginx is taken as 1.29.7" in done.stderr
    assert "1 of 2 is unsafe." in done.stdout


def test_a_safe_chain_is_exit_code_0_and_a_tight_one_too(cli):
    done = cli.run("timeouts", "check", "httpx", "nginx=75s/60s", "uvicorn=65s")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Every pair is safe." in done.stdout
    tight = cli.run("timeouts", "check", "httpx=5s", "uvicorn=5.4s")
    assert tight.returncode == 0 and "1 of 1 is tight." in tight.stdout


def test_a_chain_from_a_file_as_json_fits_its_schema(cli):
    (cli.folder / "chain.toml").write_text(FILE)
    done = cli.run("timeouts", "check", "chain.toml", "--json", "-")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    jsonschema.validate(document, CHAIN)
    assert [pair["verdict"] for pair in document["pairs"]] == ["unsafe", "safe"]
    assert not document["safe"] and "unsafe" in done.stderr
    assert document["pairs"][0]["lost"] == {"from_ms": 59999, "until_ms": 60000}
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "hops", ["requests natgw go", "http.client uvicorn", "requests=off node=4.9995s", "gcp go"]
)
def test_every_kind_of_chain_fits_the_schema(cli, hops):
    jsonschema.validate(json.loads(cli.run("timeouts", "check", *hops.split(), "--json", "-").stdout), CHAIN)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument"),
        (["nowhere.toml"], "No such file"),
        (["a.toml", "uvicorn"], "is a whole chain"),
        (["bad.toml"], "not UTF-8"),
        (["chain.toml", "--rtt", "1ms"], "belong in the file"),
        (["httpx", "uvicorn", "--margin", "soon"], "not a duration"),
        (["httpx", "uvicorn", "--json", "."], "Is a directory"),
    ],
)
def test_bad_input_to_check(cli, arguments, said):
    (cli.folder / "chain.toml").write_text(FILE)
    (cli.folder / "bad.toml").write_bytes(b"\xff\xfe")
    done = cli.run("timeouts", "check", *arguments)
    assert done.returncode in (2, 3) and said in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(cli, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    checked = cli.run("timeouts", "check", "requests", "natgw", "alb=60s", "nginx/60s", "uvicorn")
    pages = [cli.run("timeouts", product.name) for product in products().values()]
    for done in [checked, *pages, *([cli.run("timeouts")] if columns > 40 else [])]:
        long = [line for line in done.stdout.splitlines() if len(line) > columns]
        assert not [line for line in long if "https://" not in line]


def test_the_way_in_and_the_rules_load_little():
    loaded = modules_loaded_by(
        "from econnlab.cli.main import run; run(['timeouts', 'check', 'httpx', 'uvicorn'])"
    )
    assert not loaded & {"requests", "urllib3", "asyncio", "h11", "socket"}
    loaded = modules_loaded_by("import econnlab.commands.timeouts.judging")
    assert not loaded & {"socket", "_socket", "select", "asyncio", "subprocess", "threading", "rich"}


def test_the_files_are_all_found_by_name():
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(products())
    assert Chain(()).margin_ms == MARGIN_MS
