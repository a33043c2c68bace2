"""Real servers on loopback, one process each, and a client for them over a plain WebSocket
library."""

import asyncio
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import websockets

BIN = pathlib.Path(os.environ["ZABKEEPER_BIN"])
TIMEOUT = 30  # seconds; reached only by a failure


class Refused(Exception):
    """A reply with an error: `name` is the error's name, `reply` the whole reply."""

    def __init__(self, reply):
        super().__init__(f"{reply.get('error')}: {reply.get('message')}")
        self.name = reply.get("error")
        self.reply = reply


def free_ports(count):
    """Ports that are free now. All are bound at the same time, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


async def until(condition, what, timeout=TIMEOUT):
    """Calls `condition` again and again until its result is true, and returns that result. Errors
    of the network and of requests count as false. `what` describes the condition, for the error
    after a timeout."""
    deadline = time.monotonic() + timeout
    last = None
    while time.monotonic() < deadline:
        try:
            result = condition()
            if asyncio.iscoroutine(result):
                result = await result
            if result:
                return result
        except (OSError, http.client.HTTPException, websockets.WebSocketException, Refused,
                asyncio.TimeoutError, ValueError) as error:
            last = error
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {timeout} s: {what} (last error: {last!r})")


class Server:
    def __init__(self, ident, config, web_port, directory, host="127.0.0.1", prefix=()):
        self.id, self.config, self.web_port, self.directory = ident, config, web_port, directory
        self.host = host
        self.prefix = list(prefix)  # the command that runs the server in its network namespace
        self.program = BIN / "zabkeeper"
        self.environment = {}
        self.process = None

    @property
    def url(self):
        return f"ws://{self.host}:{self.web_port}/v1"

    @property
    def data(self):
        return self.directory / f"data{self.id}"

    def log(self):
        return (self.directory / f"{self.id}.log").read_text(errors="replace")

    def start(self):
        log = open(self.directory / f"{self.id}.log", "ab")
        self.process = subprocess.Popen([*self.prefix, self.program, self.config], stdout=log,
                                        stderr=log, stdin=subprocess.DEVNULL, cwd=self.directory,
                                        env={**os.environ, **self.environment})
        log.close()

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def terminate(self):
        self.process.terminate()
        return self.process.wait(timeout=TIMEOUT)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def resident(self):
        """Bytes of memory."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) << 10

    def http(self, path):
        connection = http.client.HTTPConnection(self.host, self.web_port, timeout=2)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def status(self):
        return json.loads(self.http("/status")[1])

    def ready(self):
        return self.http("/health/ready")[0] == 200


class Ensemble:
    """`async with Ensemble(3) as ensemble`: starts servers that are killed at the end.

    `program` is what the servers run, if not the program that is tested; the last `observers` of the
    servers do not vote; `keys` are configuration keys of all servers."""

    def __init__(self, size, network=None, start=True, program=None, observers=0, **keys):
        self.start = start
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="zabkeeper-"))
        ports = free_ports(2 * size)
        hosts = network.hosts if network else ["127.0.0.1"] * size
        lines = [f"server.{n}={hosts[n - 1]}:{ports[2 * n - 2]}"
                 f"{':observer' if n > size - observers else ''};{ports[2 * n - 1]}"
                 for n in range(1, size + 1)]
        self.servers = []
        for n in range(1, size + 1):
            config = self.directory / f"{n}.cfg"
            own = {"dataDir": self.directory / f"data{n}", "myid": n, "webPort": ports[2 * n - 1],
                   "webAddress": hosts[n - 1], "tickTime": 250, **keys}
            text = "\n".join([f"{k}={v}" for k, v in own.items()] + (lines if size > 1 else []))
            config.write_text(text + "\n")
            prefix = network.prefix(n) if network else ()
            self.servers.append(Server(n, config, ports[2 * n - 1], self.directory, hosts[n - 1],
                                       prefix))
            self.servers[-1].program = program or self.servers[-1].program

    def urls(self):
        """The servers, as the option --server takes them."""
        return ",".join(server.url.removesuffix("/v1") for server in self.servers)

    async def __aenter__(self):
        if self.start:
            for server in self.servers:
                server.start()
            await self.all_ready()
            await until(self.at_greatest_level, "the servers raise the level of a new ensemble")
        return self

    async def __aexit__(self, kind, *_):
        for server in self.servers:
            if server.running():
                server.signal(signal.SIGCONT)
                server.kill()
        if kind is not None:
            for server in self.servers:
                print(f"--- last lines of the log of server {server.id} ---")
                log = (self.directory / f"{server.id}.log").read_text(errors="replace")
                print("\n".join(log.splitlines()[-30:]))
        shutil.rmtree(self.directory, ignore_errors=True)

    async def all_ready(self):
        for server in self.servers:
            await until(server.ready, f"server {server.id} serves")

    def at_greatest_level(self):
        """Whether all servers have applied the greatest level that they know."""
        states = [server.status() for server in self.servers]
        return all(state["level"] == state["levels"]["greatest"] for state in states
                   if "levels" in state)  # a program from before levels has none

    def leader(self):
        """The server that is the leader now. Waits for one, and blocks the event loop meanwhile."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            for server in self.servers:
                try:
                    status = server.status()
                    if server.running() and status["role"] == "leader" and status["serving"]:
                        return server
                except (OSError, http.client.HTTPException, ValueError):
                    pass
            time.sleep(0.02)
        raise AssertionError(f"no leader within {TIMEOUT} s")

    def followers(self):
        leader = self.leader()
        return [s for s in self.servers if s is not leader and s.running()]


class Client:
    """One session over one connection. `call` waits for the reply; `send` returns a future."""

    def __init__(self):
        self.socket = None
        self.session = self.password = None
        self.timeout_ms = None
        self.last_zxid = None
        self.connected = None
        self.events = asyncio.Queue()
        self.others = asyncio.Queue()  # other messages: expired, goaway, ...
        self._waiting = {}
        self._last_id = 0
        self._reader = None

    @classmethod
    async def open(cls, server, timeout_ms=None, **fields):
        client = cls()
        await client.connect(server, timeout_ms, **fields)
        return client

    async def connect(self, server, timeout_ms=None, **fields):
        """Opens a session, or resumes the session of this client."""
        self.socket = await websockets.connect(server.url, open_timeout=5, ping_interval=None,
                                               max_size=None)
        request = {"op": "connect", **fields}
        if timeout_ms is not None:
            request["timeoutMs"] = timeout_ms
        if self.session is not None:
            request.update(session=self.session, password=self.password)
            if self.last_zxid is not None:
                request["lastZxid"] = self.last_zxid
        await self.socket.send(json.dumps(request))
        reply = json.loads(await asyncio.wait_for(self.socket.recv(), TIMEOUT))
        if "error" in reply:
            await self.socket.close()
            raise Refused(reply)
        self.connected = reply
        self.session, self.password = reply["session"], reply["password"]
        self.timeout_ms = reply["timeoutMs"]
        self._raise_zxid(reply)
        self._reader = asyncio.create_task(self._read())

    def _raise_zxid(self, message):
        if "zxid" in message and (self.last_zxid is None or message["zxid"] > self.last_zxid):
            self.last_zxid = message["zxid"]

    async def _read(self):
        try:
            async for frame in self.socket:
                parsed = json.loads(frame)
                for message in parsed if isinstance(parsed, list) else [parsed]:
                    self._raise_zxid(message)
                    if "event" in message:
                        self.events.put_nowait(message)
                    elif message.get("id") in self._waiting:
                        future = self._waiting.pop(message["id"])
                        if not future.done():
                            future.set_result(message)
                    else:
                        self.others.put_nowait(message)
        except websockets.WebSocketException:
            pass
        finally:
            waiting, self._waiting = self._waiting, {}
            for future in waiting.values():
                if not future.done():
                    future.set_exception(ConnectionError("the connection ended before the reply"))

    async def send(self, op, **fields):
        self._last_id += 1
        future = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._waiting[self._last_id] = future
        try:
            await self.socket.send(json.dumps({"id": self._last_id, "op": op, **fields}))
        except websockets.WebSocketException as error:
            raise ConnectionError("the connection is closed") from error
        return future

    async def call(self, op, **fields):
        """Sends a request and returns the reply. Raises Refused for an error reply, ConnectionError
        for a lost connection."""
        reply = await asyncio.wait_for(await self.send(op, **fields), TIMEOUT)
        if "error" in reply:
            raise Refused(reply)
        return reply

    async def event(self):
        return await asyncio.wait_for(self.events.get(), TIMEOUT)

    async def drop(self):
        """Ends the connection but not the session, as a crash of the client would."""
        self.socket.transport.abort()
        await self._reader

    async def close(self):
        try:
            await self.call("close")
        except ConnectionError:
            pass
        await self.socket.close()


def run(test, *arguments):
    """Runs one asynchronous test, and prints its docstring. A failure ends the process at once,
    because other tasks of the test may run forever."""
    async def guarded():
        try:
            await asyncio.wait_for(test(*arguments), 240)
        except BaseException:
            traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(1)

    asyncio.run(guarded())
    print("passed:", (test.__doc__ or test.__name__).strip().splitlines()[0])
