"""Servers that abort if they allocate more than a limit."""

from bystander import PATIENT
from harness import Ensemble, until

MIB = 1024 * 1024
MEMORY = 384 * MIB  # each server's, beside its program


async def limited(size, **keys):
    ensemble = Ensemble(size, start=False, **{**PATIENT, **keys})
    for server in ensemble.servers:
        server.prefix = ["prlimit", f"--data={MEMORY}", *server.prefix]
        server.start()
    await ensemble.all_ready()
    for server in ensemble.servers:
        await until(lambda: server.status()["level"] == server.status()["levels"]["greatest"],
                    "the ensemble is raised to its level")
    return ensemble


async def restarted(ensemble):
    """All servers are killed, and serve again."""
    for server in ensemble.servers:
        server.kill()
    for server in ensemble.servers:
        server.start()
    await ensemble.all_ready()
