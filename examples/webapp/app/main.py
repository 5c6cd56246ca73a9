"""A page with an image that Pango and Cairo draw, and a health endpoint."""

import os
import platform
import shutil

from fastapi import FastAPI, Query
from fastapi.responses import HTMLResponse, JSONResponse, Response

from .drawing import draw_text

app = FastAPI(title="webapp")

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>webapp</title>
<h1>It runs</h1>
<p>Python {python} as uid {uid}, configuration in <code>{config}</code>.</p>
<p><img src="/image.png?text=Built+by+ocibuild" alt="a line of text drawn by Pango"></p>
</html>
"""


@app.get("/", response_class=HTMLResponse)
def page() -> str:
    return PAGE.format(
        python=platform.python_version(),
        uid=os.getuid(),
        config=os.environ.get("CONFIG_DIR", "/config"),
    )


@app.get("/image.png")
def image(text: str = Query("hello", max_length=200)) -> Response:
    return Response(draw_text(text), media_type="image/png")


@app.get("/health")
def health() -> JSONResponse:
    config = os.environ.get("CONFIG_DIR", "/config")
    checks = {
        "image": draw_text("ok").startswith(b"\x89PNG"),
        "ffmpeg": shutil.which("ffmpeg") is not None,
        "config": os.access(config, os.R_OK | os.W_OK | os.X_OK),
    }
    healthy = all(checks.values())
    return JSONResponse({"status": "ok" if healthy else "failing", **checks}, 200 if healthy else 503)
