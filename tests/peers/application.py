"""A plain application for uvicorn (ASGI) and gunicorn (WSGI): three bytes on any path."""

BODY = b"ok\n"


async def asgi(scope, receive, send):
    """Answer one request."""
    assert scope["type"] == "http"
    headers = [(b"content-length", str(len(BODY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


def wsgi(environ, start_response):
    """Answer one request."""
    start_response("200 OK", [("Content-Length", str(len(BODY)))])
    return [BODY]
