"""The backend under test: it shows each message of the bot once. Yours is bigger."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

shown, seen = [], set()


class Endpoint(BaseHTTPRequestHandler):
    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if message["type"] == "text" and self.headers["webhook-id"] not in seen:
            seen.add(self.headers["webhook-id"])
            shown.append(message["payload"]["text"])
        self.send_response(204)
        self.end_headers()


def start():
    return ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
