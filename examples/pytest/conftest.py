import json, os, shlex, subprocess, threading, time

import backend
import pytest

SANDBOX = shlex.split(os.environ.get("SANDBOX", "npx messaging-api-sandbox"))


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    """Botpress on this machine, with a bot whose messages go to the backend. Yields how to get in."""
    server = backend.start()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ready = tmp_path_factory.mktemp("sandbox") / "ready.json"
    endpoint = f"http://127.0.0.1:{server.server_port}"
    options = ["--port", "0", "--no-page", "--endpoint", endpoint, "--ready-file", str(ready)]
    process = subprocess.Popen([*SANDBOX, *options])
    while not ready.exists():
        assert process.poll() is None, "The sandbox did not start"
        time.sleep(0.1)
    yield {**json.loads(ready.read_text()), "endpoint": endpoint}
    process.terminate()
    process.wait()
