"""Commands of an operator: a hand-over by HTTP and by the shell, and who may give them."""

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
    """an operator says who leads, and nobody else does"""
    async with Ensemble(3, superDigest=digest(SUPER)) as ensemble:
        leader = ensemble.leader()
        first, second = ensemble.followers()
        client = await Client.open(first)
        await client.do("create", path="/kept", ephemeral=True)

        # Who may not, and what cannot be.
        proxied = {"X_Forwarded_For": "10.0.0.1"}
        for wanted, target, headers in (
                (403, "/admin/handover", {"Origin": "http://evil.example"}),
                (403, "/admin/handover", proxied),
                (403, "/admin/handover", {"Authorization": "digest root:wrong"}),
                (404, "/admin/nothing", {}),
                (400, "/admin/handover?whom=2", {}),
                (409, f"/admin/handover?to={leader.id}", {}),
                (409, "/admin/handover?to=9", {})):
            status, said = post(leader, target, **headers)
            assert status == wanted and said["message"], (target, headers, status, said)
        status, said = post(first, "/admin/handover")
        assert status == 409 and f"server {leader.id} does" in said["message"], (status, said)
        epoch = leader.status()["epoch"]
        assert ensemble.leader() is leader and leader.status()["epoch"] == epoch

        # To a named server; as the super identity through a proxy, too.
        authorized = {"Authorization": "Basic " + base64.b64encode(SUPER.encode()).decode()}
        for to, headers in ((second, {}), (first, {**proxied, **authorized})):
            status, said = post(ensemble.leader(), f"/admin/handover?to={to.id}", **headers)
            epoch += 1
            assert (status, said) == (200, {"leader": to.id, "epoch": epoch}), (status, said)
            await until(lambda: to.status()["role"] == "leader" and to.ready(), "it leads")
            await ensemble.all_ready()

        # By the shell, to anybody; and what it says when that cannot be.
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

        # The session noticed nothing.
        stat = (await client.do("exists", path="/kept", consistency="linearizable"))["stat"]
        assert stat and stat["ephemeralOwner"] == client.session
        await client.close()


run(test)
