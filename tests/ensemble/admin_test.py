"""Commands of an operator: a handover by HTTP and by the shell, and who may use them."""

import base64
import hashlib
import http.client
import json
import subprocess

from harness import BIN, Client, Ensemble, run, until

SUPER = "root:secret"


def digest(token):
    user = token.split(":")[0]
    return user + ":" + base64.b64encode(hashlib.sha1(token.encode()).digest()).decode()


def post(server, target, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.web_port, timeout=20)
    try:
        connection.request("POST", target, headers={k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def zab(ensemble, *words):
    servers = ",".join(f"ws://127.0.0.1:{s.web_port}" for s in ensemble.servers)
    return subprocess.run([BIN / "zab", "--server", servers, *words], capture_output=True, text=True,
                          timeout=30)


async def test():
    """an authorized operator can move the leader, and nobody else can"""
    async with Ensemble(3, superDigest=digest(SUPER)) as ensemble:
        leader = ensemble.leader()
        first, second = ensemble.followers()
        client = await Client.open(first)
        await client.call("create", path="/kept", ephemeral=True)

        # Refused: requests without authority, and impossible ones.
        proxied = {"X_Forwarded_For": "10.0.0.1"}
        for wanted, target, headers in (
                (403, "/admin/handover", {"Origin": "http://evil.example"}),
                (403, "/admin/handover", proxied),
                (403, "/admin/handover", {"Authorization": "digest root:wrong"}),
                (404, "/admin/nothing", {}),
                (400, "/admin/handover?whom=2", {}),
                (409, f"/admin/handover?to={leader.id}", {}),
                (409, "/admin/handover?to=9", {})):
            status, reply = post(leader, target, **headers)
            assert status == wanted and reply["message"], (target, headers, status, reply)
        status, reply = post(first, "/admin/handover")
        assert status == 409 and f"server {leader.id} does" in reply["message"], (status, reply)
        epoch = leader.status()["epoch"]
        assert ensemble.leader() is leader and leader.status()["epoch"] == epoch

        # To a given server; also through a proxy, with the super identity.
        authorized = {"Authorization": "Basic " + base64.b64encode(SUPER.encode()).decode()}
        for to, headers in ((second, {}), (first, {**proxied, **authorized})):
            status, reply = post(ensemble.leader(), f"/admin/handover?to={to.id}", **headers)
            epoch += 1
            assert (status, reply) == (200, {"leader": to.id, "epoch": epoch}), (status, reply)
            await until(lambda: to.status()["role"] == "leader" and to.ready(),
                        f"server {to.id} is the leader")
            await ensemble.all_ready()

        # By the shell, to any server; and its errors.
        done = zab(ensemble, "handover")
        now = ensemble.leader()
        assert done.returncode == 0 and done.stdout == f"server {now.id} leads, in epoch {epoch + 1}\n", done
        assert now is not first
        again = zab(ensemble, "handover", str(now.id))
        assert again.returncode == 1 and "leads already" in again.stderr, again
        wrong = zab(ensemble, "--auth", "digest:root:wrong", "handover")
        assert wrong.returncode == 7 and "superDigest" in wrong.stderr, wrong
        numbers = zab(ensemble, "metrics", "zabkeeper_serving")
        assert numbers.returncode == 0 and numbers.stdout.count("zabkeeper_serving 1\n") == 3, numbers

        # The session and its ephemeral node are unchanged.
        stat = (await client.call("exists", path="/kept", consistency="linearizable"))["stat"]
        assert stat and stat["ephemeralOwner"] == client.session
        await client.close()


run(test)
