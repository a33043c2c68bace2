"""The bystander of other tests notices a server that serves it badly."""

import asyncio
import signal

from bystander import SILENCE, Bystander, Figures, complaints
from harness import Ensemble, run


def figures(**changed):
    """Of a good server: writes take 4 ms, reads and probes 1 ms, and so on the machine."""
    seconds = {"write": 0.004, "read": 0.001, "health": 0.001, "machine write": 0.004,
               "machine read": 0.001, "machine turn": 0.01, **changed}
    return {kind: Figures([each] * 200) for kind, each in seconds.items()}


async def judgement():
    """a p99 may be three times as high, or as much as the machine itself became slower"""
    def judged(**now):
        now = {kind.replace("_", " "): value for kind, value in now.items()}
        return list(complaints(figures(write=0.03), figures(**{"write": 0.03, **now})))

    assert not judged()
    assert not judged(read=0.05), "below the floor"
    found = list(complaints(figures(write=0.03), figures(write=0.1)))
    assert len(found) == 1 and "p99 of write is 0.100 s, and at most 0.090 s" in found[0], found
    assert judged(health=0.07)
    assert judged(read=0.07) and not judged(read=0.07, machine_turn=0.012)
    assert judged(write=0.1) and not judged(write=0.1, machine_write=0.005)
    one_of_many = Figures([0.001] * 999 + [0.5])
    found = list(complaints(figures(), {**figures(), "read": one_of_many}))
    assert len(found) == 1 and "the longest read took 0.500 s" in found[0], found
    found = list(complaints(figures(), {**figures(), "read": Figures([0.001] * 99, under_way=2)}))
    assert len(found) == 1 and "the longest read took 2.000 s" in found[0], found


async def standstill():
    """a server that stands still for a moment is noticed, and one that does not passes"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        async with Bystander(server) as bystander:
            async with bystander.beside("nothing"):
                pass
            try:
                async with bystander.beside("a standstill"):
                    server.signal(signal.SIGSTOP)
                    await asyncio.sleep(20 * SILENCE)  # the length of the fault
                    server.signal(signal.SIGCONT)
            except AssertionError as error:
                assert "the longest" in str(error), error
            else:
                raise AssertionError("a standstill is not noticed")


run(judgement)
run(standstill)
