#!/usr/bin/env python3
"""A registry on loopback that serves one image of an OCI layout, and lies about it.

lying_registry.py LAYOUT TAG LIE: prints its port, then serves until it is killed. LIE is one of
  none     the truth            wrong    a byte of every large blob is changed
  more     bytes are appended   less     bytes are missing at the end
  refuse   403 for all          cut      every connection ends after 100 kB (ranges are honoured)
  loop     blobs redirect to themselves
"""
import http.server
import json
import pathlib
import sys

layout, tag, lie = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
index = json.loads((layout / "index.json").read_text())
root = next(m for m in index["manifests"]
            if m.get("annotations", {}).get("org.opencontainers.image.ref.name") == tag)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, headers=(), cut=None):
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[:cut])
        if cut is not None and cut < len(body):
            self.close_connection = True

    def blob(self, digest):
        data = (layout / "blobs/sha256" / digest.removeprefix("sha256:")).read_bytes()
        large = len(data) > 10000
        if lie == "loop":
            return self.reply(307, b"", [("Location", self.path)])
        if lie == "wrong" and large:
            data = data[:5000] + bytes([data[5000] ^ 1]) + data[5001:]
        if lie == "more" and large:
            data += b"more"
        if lie == "less" and large:
            data = data[:-5]
        cut = 100000 if lie == "cut" else None
        wanted = self.headers.get("Range")
        if not wanted:
            return self.reply(200, data, cut=cut)
        first, last = wanted.removeprefix("bytes=").split("-")
        begin, end = int(first), int(last or len(data) - 1) + 1
        spread = f"bytes {begin}-{end - 1}/{len(data)}"
        return self.reply(206, data[begin:end], [("Content-Range", spread)], cut=cut)

    def do_GET(self):
        if lie == "refuse" and self.path != "/v2/":
            text = b'{"errors":[{"code":"DENIED","message":"not today"}]}'
            return self.reply(403, text)
        if self.path == "/v2/":
            return self.reply(200, b"{}")
        kind, name = self.path.split("/")[-2:]
        if kind == "blobs":
            return self.blob(name)
        if name not in (tag, root["digest"]):
            return self.reply(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
        text = (layout / "blobs/sha256" / root["digest"].removeprefix("sha256:")).read_bytes()
        return self.reply(200, text, [("Content-Type", root["mediaType"]),
                                      ("Docker-Content-Digest", root["digest"])])

    do_HEAD = do_GET


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
