import json, uuid
from urllib.request import Request, urlopen

import backend
import pytest


def call(method, url, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", **headers}
    with urlopen(Request(url, data, headers, method=method)) as response:
        return json.loads(response.read() or "null")


@pytest.fixture
def say(sandbox):
    """Sends the bot a text, and returns what became of its answer. Each test begins with an empty sandbox."""
    call("POST", f"{sandbox['controlUrl']}/reset", {})
    backend.shown.clear()

    def say(text):
        message = {"userId": "ada", "conversationId": "tea", "messageId": str(uuid.uuid4()), "type": "text", "text": text}
        call("POST", sandbox["webhookUrl"], message, authorization=f"Bearer {sandbox['credential']}")
        return call("GET", f"{sandbox['controlUrl']}/deliveries?count=1&wait=30")["deliveries"][0]

    return say


def test_a_conversation(say):
    assert say("Hello")["outcome"] == "delivered"
    assert backend.shown == ["You said: Hello"]


def test_an_outage_is_survived(sandbox, say):
    call("PUT", f"{sandbox['controlUrl']}/faults", {"endpoint": {"status": 503, "times": 2}})
    delivery = say("Are you there?")
    assert [one["status"] for one in delivery["tries"]] == [503, 503, 204]
    assert backend.shown == ["You said: Are you there?"]


def test_a_repeat_is_shown_once(sandbox, say):
    delivery = say("Once")
    repeat = {"type": delivery["type"], "payload": delivery["payload"], "conversationId": delivery["conversationId"]}
    call("POST", sandbox["endpoint"], repeat, **{"webhook-id": delivery["botpressMessageId"]})
    assert backend.shown == ["You said: Once"]
