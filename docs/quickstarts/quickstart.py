"""Five steps with Python's own library."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import threading
import time
import urllib.request

URL = os.environ.get("ZAPIER_URL", "http://localhost:8080")


def call(method, path, key=None, body=None, media_type="application/json"):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"Content-Type": media_type}, method=method)
    if key:
        request.add_header("X-API-Key", key)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def verify(secret, headers, body):
    """HMAC-SHA256 over id.timestamp.body as it came, keyed with the secret's decoded bytes; not older than five minutes."""
    if abs(time.time() - int(headers["webhook-timestamp"])) > 300:
        return False
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    made = base64.b64encode(hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)).decode()
    return any(hmac.compare_digest(f"v1,{made}", one) for one in headers["webhook-signature"].split(" "))


# The key. In production the operator makes it; a server in Development lets anyone.
key = os.environ.get("ZAPIER_KEY") or call("POST", "/api/keys/generate", body={"organization_name": "Quick start"})["api_key"]

# 1. Send an event. 202 means that it is kept; with a dedup_id it can be sent again safely.
sent = call("POST", "/api/events", key, {"type": "order.paid", "payload": {"order": 7, "total": 12.50}, "dedup_id": f"order-{time.time_ns()}"})
print("sent", sent["id"])

# 2. Send many: each has its own result.
batch = call("POST", "/api/events/batch", key, [{"type": "order.sent", "payload": {"order": number}} for number in (7, 8)])
print("accepted", batch["accepted"])

# 3. Read what is pending, oldest first. next_cursor goes on from there.
page = call("GET", "/api/inbox?status=pending&order=asc&limit=10", key)
print("pending", [event["type"] for event in page["events"]])

# 4. Acknowledge what has been handled.
print("acknowledged", call("POST", "/api/inbox/ack", key, {"event_ids": [event["id"] for event in page["events"]]})["acknowledged"])

# 5. Receive a webhook, and verify it.
received = threading.Event()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = verify(secret, self.headers, body)
        self.send_response(204 if good else 400)
        self.end_headers()
        if good:
            print("webhook verified:", json.loads(body)["type"])
            received.set()

    def log_message(self, *_):
        pass


secret = call("POST", "/api/webhook/config", key, {"webhook_url": "http://127.0.0.1:9091/hook"})["secret"]
server = http.server.HTTPServer(("127.0.0.1", 9091), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
call("POST", "/api/events", key, {"type": "order.closed", "payload": {"order": 7}})
if not received.wait(30):
    raise SystemExit("no webhook came")
