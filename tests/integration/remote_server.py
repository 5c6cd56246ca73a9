#!/usr/bin/env python3
"""A web server with files, git repositories (smart HTTP by git's own backend) and bad manners.

usage: remote_server.py PORT DIRECTORY LOG

    /git/NAME.git/…    repositories of DIRECTORY, for everybody
    /token/NAME.git/…  the same for "x-access-token:t0ken" (Basic) alone
    /header/NAME.git/… the same for "Authorization: Custom h3ader" alone
    /bearer/FILE       a file of DIRECTORY for "Authorization: Bearer t0ken" alone
    /custom/FILE       the same for "Authorization: Custom h3ader" alone
    /away/…            a redirect to the same path of localhost, which is another host than 127.0.0.1
    /loop              a redirect to itself
    /hops/N            N redirects, then a file
    /short             ends before its Content-Length
    /silent            a Content-Length and nothing
    /late              ends in the middle of a chunk

Every request is a line of LOG: path, a tab, its Authorization.
"""

import base64
import http.server
import os
import subprocess
import sys
import urllib.parse

PORT, DIRECTORY, LOG = int(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3]
BASIC = "Basic " + base64.b64encode(b"x-access-token:t0ken").decode()
DOORS = {
    "git": None,
    "token": BASIC,
    "header": "Custom h3ader",
    "bearer": "Bearer t0ken",
    "custom": "Custom h3ader",
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, headers=(), body=b""):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def begin_lie(self, name, value, body=b""):
        self.send_response(200)
        self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def run_git(self, rest, query):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            stdout=subprocess.PIPE,
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": DIRECTORY,
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": "/" + rest,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            },
        ).stdout
        head, _, content = done.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if line]
        status = [int(value.split()[0]) for name, value in headers if name == "Status"]
        self.answer(status[0] if status else 200, [h for h in headers if h[0] != "Status"], content)

    def serve_file(self, rest):
        path = os.path.join(DIRECTORY, os.path.basename(rest))
        if not os.path.isfile(path):
            return self.answer(404)
        with open(path, "rb") as file:
            return self.answer(200, body=file.read())

    def misbehave(self, path):
        if path.startswith("/away/"):
            where = f"http://localhost:{PORT}{self.path[len('/away'):]}"
            return self.answer(301, [("Location", where)])
        if path == "/loop":
            return self.answer(302, [("Location", "/loop")])
        if path.startswith("/hops/"):
            left = int(path[len("/hops/"):])
            return self.answer(302, [("Location", f"/hops/{left - 1}")]) if left else self.answer(200, body=b"there\n")
        if path == "/short":
            return self.begin_lie("Content-Length", "1000", b"only this\n")
        if path == "/silent":
            return self.begin_lie("Content-Length", "1000")
        if path == "/late":
            return self.begin_lie("Transfer-Encoding", "chunked", b"100\r\nonly this")
        return self.answer(404)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        path = urllib.parse.unquote(path)
        authorization = self.headers.get("Authorization", "")
        with open(LOG, "a", encoding="utf-8") as log:
            log.write(f"{self.headers.get('Host')}{self.path}\t{authorization}\n")
        door, _, rest = path[1:].partition("/")
        if door not in DOORS:
            return self.misbehave(path)
        if DOORS[door] and authorization != DOORS[door]:
            return self.answer(401, [("WWW-Authenticate", 'Basic realm="test"')])
        return self.run_git(rest, query) if ".git/" in rest else self.serve_file(rest)

    do_POST = do_GET


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
