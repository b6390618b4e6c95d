"""curl as itself against ``econnlab serve``."""

import subprocess

import pytest

from econnlab.record.events import Kind


def run(curl, *words):
    return subprocess.run(
        [curl, "-sS", "--max-time", "10", *words], capture_output=True, text=True, timeout=20
    )


def test_curl_reuses_its_connection(start_server, curl):
    server = start_server()
    done = run(curl, server.url, server.url, server.url)
    assert (done.returncode, done.stdout) == (0, "ok\nok\nok\n")
    assert len(server.events(Kind.ACCEPTED)) == 1
    assert [event.method for event in server.events(Kind.REQUEST)] == ["GET"] * 3


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
def test_curl_speaks_every_method(start_server, curl, method):
    server = start_server(response_size=100_000)
    how = ["-I"] if method == "HEAD" else ["-X", method]
    body = ["--data-binary", "x" * 50_000] if method in ("POST", "PUT") else []
    done = run(curl, *how, *body, "-w", "%{http_code} %{size_download}", "-o", "/dev/null", server.url)
    size = 0 if method == "HEAD" else 100_000
    assert done.returncode == 0
    assert done.stdout.split()[0] == "200"
    assert method == "HEAD" or done.stdout.split()[1] == str(size)


def test_curl_waits_for_100_continue(start_server, curl, tmp_path):
    (tmp_path / "body").write_bytes(b"x" * 2_000_000)
    body = f"@{tmp_path / 'body'}"
    done = run(curl, "-H", "Expect: 100-continue", "--data-binary", body, "-v", start_server().url)
    assert done.returncode == 0
    assert "100 Continue" in done.stderr


def test_curl_is_refused_when_the_server_is_full(start_server, curl):
    """52: an empty reply (FIN); 55, 56: an RST met on sending, on receiving; 7: one met on connecting."""
    for manner, codes in (("close", (52, 56)), ("reset", (7, 55, 56))):
        server = start_server(max_connections=1, when_full=manner)
        with subprocess.Popen([curl, "-sS", server.url, "-o", "/dev/null", "--next", "-T", "-", server.url],
                              stdin=subprocess.PIPE) as holder:  # fmt: skip
            server.wait_for(Kind.RESPONSE)
            assert run(curl, server.url).returncode in codes
            holder.stdin.close()
        assert [event.reason for event in server.events(Kind.DROPPED)] == [manner]


def test_curl_reads_the_503_of_a_full_server(start_server, curl):
    server = start_server(max_connections=1, when_full="503")
    with subprocess.Popen([curl, "-sS", server.url, "-o", "/dev/null", "--next", "-T", "-", server.url],
                          stdin=subprocess.PIPE) as holder:  # fmt: skip
        server.wait_for(Kind.RESPONSE)
        done = run(curl, "-X", "POST", "--data", "order", "-w", "%{http_code}", server.url)
        holder.stdin.close()
    assert (done.returncode, done.stdout) == (0, "over capacity\n503")
