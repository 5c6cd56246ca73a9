#!/usr/bin/env python3
"""A registry that can be told to fail: a proxy on loopback in front of a real one.

failing_registry.py UPSTREAM_HOST:PORT: prints its port, then serves until it is killed. It is told what
to do by GET /control?mode=MODE&n=N&match=TEXT, which also sets the count of requests back to 0:
  pass     everything is passed on
  refuse   the Nth request gets 403, and so do all later ones of the same method and path
  lie      the Nth request is carried out and gets 403 all the same
  dead     the Nth request and all that follow get 403
  busy     every Nth request gets 503, as from a registry with too much to do
  hold     the first request whose "METHOD PATH" contains MATCH waits until GET /go
  slow     every request is delayed by up to N milliseconds
GET /count answers with the number of requests since then, GET /held with 1 while one waits. With n=0
nothing is refused, only counted.
"""
import http.client
import http.server
import random
import sys
import threading
import time
import urllib.parse

upstream = sys.argv[1]
lock = threading.Lock()
state = {"mode": "pass", "n": 0, "match": "", "count": 0, "refused": None, "held": 0, "log": []}
go = threading.Event()
HOP = {"connection", "transfer-encoding", "keep-alive", "host", "content-length"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, headers=()):
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        if not any(key.lower() == "content-length" for key, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def control(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/go":
            go.set()
        elif url.path == "/control":
            go.clear()
            with lock:
                state.update(mode=query.get("mode", "pass"), n=int(query.get("n", 0)), count=0,
                             match=query.get("match", ""), refused=None, held=0, log=[])
        if url.path == "/log":
            return self.reply(200, "\n".join(state["log"]).encode() + b"\n")
        self.reply(200, str(state["held" if url.path == "/held" else "count"]).encode() + b"\n")

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            data = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                data += self.rfile.read(size)
                self.rfile.readline()
                if not size:
                    return data
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def decide(self):
        """What happens to this request: (carried out?, answered with the truth?)"""
        what = f"{self.command} {self.path.split('?')[0]}"
        with lock:
            state["count"] += 1
            state["log"].append(what)
            mode, nth = state["mode"], state["count"]
            if mode == "hold" and state["match"] in what and not state["held"]:
                state["held"] = 1
            elif mode in ("refuse", "lie") and nth == state["n"]:
                if mode == "refuse":
                    state["refused"] = what
                return mode == "lie", False
            elif mode == "busy" and nth % state["n"] == 0:
                return False, False
            elif what == state["refused"] or (mode == "dead" and 0 < state["n"] <= nth):
                return False, False
            else:
                return True, True
        go.wait(60)
        with lock:
            state["mode"] = "pass"
            state["held"] = 0
        return True, True

    def serve(self):
        if not self.path.startswith("/v2"):
            return self.control()
        body = self.body()
        carried_out, honest = self.decide()
        if state["mode"] == "slow":
            time.sleep(random.uniform(0, state["n"] / 1000))
        if carried_out:
            server = http.client.HTTPConnection(upstream)
            headers = {k: ", ".join(self.headers.get_all(k)) for k in self.headers if k.lower() not in HOP}
            headers["Host"] = self.headers["Host"]
            server.request(self.command, self.path, body or None, headers)
            answer = server.getresponse()
            data = answer.read()
        if not honest:
            text = b'{"errors":[{"code":"DENIED","message":"not today"}]}'
            return self.reply(503 if state["mode"] == "busy" else 403, text, [("Content-Type", "application/json")])
        kept = [(k, v) for k, v in answer.getheaders()
                if k.lower() not in HOP or (k.lower() == "content-length" and self.command == "HEAD")]
        return self.reply(answer.status, data, kept)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = serve


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
