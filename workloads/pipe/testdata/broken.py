"""Programs that get one thing wrong each; they are to be found:

    python3 broken.py NAME
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "examples", "pipe-python"))

from election import Election  # noqa: E402
from lock import Lease, Program, Queue, b64  # noqa: E402
from rwlock import ReadWriteLock, ReadWriteQueue  # noqa: E402


class LetsTwoIn(Program):
    """Waits for nobody: whoever asks has the lock."""

    def acquire(self, message, wait=True):
        self.calls += 1
        key, token = Queue(self, message).enter(f"{self.client} {self.calls}")
        self.held[message["object"]] = (key, token)
        return {"key": key, "token": str(token), "lease": self.lease.id}


class NeverRenews(Program):
    """Lets its lease run out while it holds, and does not look: it only takes a
    new one for the next lock."""

    def lease_of(self, deadline):
        if self.lease is None or time.monotonic() > self.ends:
            renew, Lease._renew = Lease._renew, lambda self: None
            self.lease, self.ends = Lease(self.etcd, self.ttl, deadline, self.lost), time.monotonic() + self.ttl - 1
            Lease._renew = renew
        return self.lease


class FreesAnothers(Program):
    """One key for all, and a release that does not ask whose it is. It gives up
    waiting by a release, too."""

    def acquire(self, message, wait=True):
        key = message["prefix"] + "/lock"
        lease = self.lease_of(message["deadline"])
        while True:
            reply = self.etcd.post("/v3/kv/txn", {
                "compare": [{"key": b64(key), "target": "CREATE", "result": "EQUAL", "create_revision": "0"}],
                "success": [{"request_put": {"key": b64(key), "lease": lease.id}}]}, message["deadline"])
            if reply.get("succeeded"):
                self.held[message["object"]] = (key, int(reply["header"]["revision"]))
                return {"key": key, "token": reply["header"]["revision"], "lease": lease.id}
            if not wait or time.monotonic() > message["deadline"] - 0.2:
                self.etcd.post("/v3/kv/deleterange", {"key": b64(key)}, message["deadline"] + 1)
                raise TimeoutError("it was not its turn in time")
            time.sleep(0.02)

    def release(self, message):
        key, _ = self.held.pop(message["object"])
        self.etcd.post("/v3/kv/deleterange", {"key": b64(key)}, message["deadline"])


class StaleToken(Program):
    """Its fencing token is the number of its own calls."""

    def win(self, message, value, wait=True):
        won = super().win(message, value, wait)
        self.held[message["object"]] = (won["key"], int(won["token"]))
        return {**won, "token": self.calls}

    ops = ["acquire", "try-acquire", "release", "bye"]


class ReadsBesideWriters(ReadWriteLock):
    """Its readers wait for nobody."""

    class queue(ReadWriteQueue):
        def blocks(self, key):
            return self.mode == "write"


class WritesBesideReaders(ReadWriteLock):
    """Its writers wait for writers only."""

    class queue(ReadWriteQueue):
        def blocks(self, key):
            return key.startswith(self.prefix + "write/")


class KeepsKeys(Program):
    """Says that it has released, and leaves its key."""

    def release(self, message):
        self.held.pop(message["object"])


class TwoLeaders(Election):
    """Takes the newest key for the leader's, not the oldest."""

    def campaign(self, message):
        key, token = Queue(self, message).enter(message["value"])
        self.held[message["object"]] = (key, token)
        return {"key": key, "token": str(token), "lease": self.lease.id}


def greeter():
    """A lock that is right, but for a word to people on its output."""
    print("Welcome to my lock", flush=True)
    Program().run()


def babbler():
    for number, _ in enumerate(sys.stdin, 1):
        print("acquiring...", flush=True)
        print('{"id": %d, "ok": true}' % number, flush=True)


def hanger():
    print(sys.stdin.readline() and '{"id":1,"ok":true}', flush=True)
    print("waiting for a lock that never comes", file=sys.stderr, flush=True)
    while True:
        time.sleep(1000)


def flooder():
    print(sys.stdin.readline() and '{"id":1,"ok":true}', flush=True)
    sys.stdin.readline()
    while True:
        print('{"event":"mood","good":true}')


def dier():
    print(sys.stdin.readline() and '{"id":1,"ok":true}', flush=True)
    sys.stdin.readline()
    raise RuntimeError("the program has a bug")


if __name__ == "__main__":
    what = globals()[sys.argv[1]]
    what().run() if isinstance(what, type) else what()
