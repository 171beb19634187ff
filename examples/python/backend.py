"""A backend in Python, with nothing installed: each line typed is sent to the bot, each reply is printed."""

import base64, hashlib, hmac, json, os, sys, threading, time, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import Request, urlopen

MISSING = [name for name in ("WEBHOOK_URL", "ACCESS_KEY", "SIGNING_SECRET") if not os.environ.get(name)]
if MISSING:
    sys.exit(f"Set {', '.join(MISSING)} in the environment: see README.md beside this file.")
KEY = base64.b64decode(os.environ["SIGNING_SECRET"].removeprefix("whsec_"))
PORT = int(os.environ.get("PORT", "8080"))
seen = set()  # A table with the ids of the last day, in a backend that restarts or runs twice.


def tell(words, where=sys.stdout):
    where.write(f"{words}\n")  # Not print(), which writes the line's end apart: the lines of two threads would mix.
    where.flush()


def is_from_bot(headers, body):
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(time.time() - int(timestamp)) > 5 * 60:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256))
    return any(hmac.compare_digest(expected, given.encode()) for given in headers.get("webhook-signature", "").split())


class Endpoint(BaseHTTPRequestHandler):
    def do_POST(self):
        try:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
        except OSError:
            return  # The connection broke before the request was whole.
        verified = is_from_bot(self.headers, body)
        self.send_response(204 if verified else 401)  # First the answer, then the work.
        self.end_headers()
        if not verified or self.headers["webhook-id"] in seen:
            return
        seen.add(self.headers["webhook-id"])
        message = json.loads(body)
        if message["type"] == "test":  # Of the registration: no message of the bot.
            return
        payload = message["payload"]
        said = payload.get("text", "") if message["type"] == "text" else f"{message['type']} {json.dumps(payload)}"
        tell(f"{message['conversationId']}: {said}")

    def do_GET(self):
        self.send_error(405)

    def log_message(self, *_):
        pass


def post(path, body, what):
    """Posts until it is taken: to post the same again is safe. Tells what has become of it, where that is nothing."""
    headers = {"authorization": f"Bearer {os.environ['ACCESS_KEY']}", "content-type": "application/json"}
    for pause in (1, 2, 4, 8, 16, 0):
        try:
            with urlopen(Request(os.environ["WEBHOOK_URL"] + path, json.dumps(body).encode(), headers)) as response:
                return json.load(response)
        except HTTPError as error:
            if error.code != 429 and error.code < 500:
                return tell(f"{what}: {error.code} {error.read().decode(errors='replace')}", sys.stderr)
        except OSError:
            pass
        time.sleep(pause)
    tell(f"{what}: no answer", sys.stderr)


def catch_up():
    """What the bot said while this was down is delivered now, and also what may have arrived: repeats are dropped."""
    for delivery in "failed", "unknown":
        while (report := post("/redeliveries", {"delivery": delivery}, "Not caught up")):
            if "reason" in report:
                tell(f"Not caught up: {report['reason']}", sys.stderr)
            if not report["more"]:
                break
            if report["delivered"] == 0:
                time.sleep(10)  # Another redelivery may be at work.


def send(words):
    message = {"userId": "ada", "conversationId": "tea", "messageId": str(uuid.uuid4()), "type": "text", "text": words}
    post("", message, "Not sent")


try:
    server = ThreadingHTTPServer(("", PORT), Endpoint)
except OSError as error:
    sys.exit(f"Port {PORT} cannot be opened: {error.strerror}. Choose another with PORT.")
threading.Thread(target=server.serve_forever, daemon=True).start()
tell(f"Listening on port {PORT}")
threading.Thread(target=catch_up, daemon=True).start()
try:
    for line in sys.stdin:
        if line.strip():
            send(line.strip())
except KeyboardInterrupt:
    pass
