"""A page in a real browser, with the browser's own WebSocket and no code for heartbeats."""

import asyncio
import http.server
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading

from conformance import Wire
from harness import TIMEOUT, Ensemble, run, until

# The page reports its events by POST /report to the server that it came from, which is this test.
PAGE = """<!doctype html><title>a page</title><script>
let reported = Promise.resolve();
const report = (what) => reported = reported.then(() => fetch("/report", {method: "POST", body: JSON.stringify(what)}));
const socket = new WebSocket("%s");
let opened = false;
socket.onopen = () => { opened = true; socket.send(JSON.stringify({op: "connect", timeoutMs: 1000})); };
socket.onmessage = ({data}) => {
  const message = JSON.parse(data);
  report(message);
  if (message.op === "connected") socket.send(JSON.stringify([
    {id: "me", op: "create", path: "/pages/page-", ephemeral: true, sequential: true, parents: true},
    {id: "w", op: "watch", path: "/watched", withData: true}]));
};
socket.onclose = ({code}) => report({closed: code, opened});
</script>%s"""


class Site:
    """Serves the page; `reports` has the events that the page reported."""

    def __init__(self, url, frame=""):
        self.reports = queue.Queue()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                if self.path == "/":
                    self.wfile.write((PAGE % (url, frame)).encode())

            def do_POST(self):
                site.reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    async def next(self):
        return await asyncio.to_thread(self.reports.get, True, 2 * TIMEOUT)


class Browser:
    def __init__(self, page):
        program = shutil.which("chromium")
        assert program, "chromium is missing: apt-get install chromium (tools/dev test does)"
        self.profile = tempfile.mkdtemp(prefix="zabkeeper-browser-")
        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--no-proxy-server", "--remote-debugging-port=0",
             f"--user-data-dir={self.profile}", page],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)

    def end(self):
        os.killpg(self.process.pid, signal.SIGKILL)  # the browser has many processes
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


async def test():
    """a browser tab keeps a session without heartbeat code and gets events; a foreign page gets no session"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        foreign = Site(server.url)
        home = Site(server.url, f'<iframe src="{foreign.origin}/"></iframe>')
        # The origin is known only now, so the server is restarted with it.
        server.terminate()
        server.config.write_text(server.config.read_text() + f"allowedOrigins={home.origin}\n")
        server.start()
        await until(server.ready, "the server serves again")

        wire = await Wire.open(server)
        await wire.call({"id": "pages", "op": "watch", "path": "/pages", "scope": "children"})
        browser = Browser(home.origin + "/")
        try:
            connected, created, watching = [await home.next() for _ in range(3)]
            assert connected["op"] == "connected" and connected["timeoutMs"] == 1000, connected
            assert created["id"] == "me" and created["stat"]["ephemeralOwner"] == connected["session"], created
            assert (watching["watch"], watching["stat"]) == ("w", None), watching
            assert (await wire.next())["event"] == "children"

            assert await foreign.next() == {"closed": 1006, "opened": False}
            # The page sends nothing. The browser's pongs keep its session, while sessions without
            # pongs expire.
            for _ in range(2):
                silent = await Wire.open(server, timeoutMs=1000)
                await silent.call({"op": "create", "path": "/pages/silent", "ephemeral": True})
                await silent.drop()
                assert [(await wire.next())["event"] for _ in "cd"] == ["children", "children"]
            await wire.send({"id": 1, "op": "create", "path": "/watched", "data": "grüße"},
                            {"id": 2, "op": "exists", "path": created["path"]})
            event = await home.next()
            assert (event["watch"], event["event"], event["data"]) == ("w", "created", "grüße"), event
            assert (await wire.several(2))[1]["stat"] is not None, "the page's session has expired"
        finally:
            browser.end()
        deleted = await wire.next()
        assert (deleted["watch"], deleted["event"]) == ("pages", "children"), deleted


run(test)
