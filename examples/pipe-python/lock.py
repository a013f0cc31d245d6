#!/usr/bin/env python3
"""A mutual exclusion lock over etcd's JSON gateway, with nothing but Python's
standard library, as a program that holdfast puts to the test:

    holdfast run --pipe 'python3 examples/pipe-python/lock.py'

Who wants the lock puts a key of its own, on its lease. Of all keys the one that
was created first owns the lock; its create revision is the fencing token.
"""
import base64
import http.client
import json
import sys
import threading
import time
from urllib.parse import urlsplit


class Uncertain(Exception):
    """Nobody knows whether the call had an effect."""


class Refused(Exception):
    """The call surely had no effect."""

    def __init__(self, text, **more):
        super().__init__(text)
        self.more = more


def b64(text):
    return base64.b64encode(text.encode()).decode()


def unb64(text):
    return base64.b64decode(text).decode()


class Etcd:
    """etcd's JSON gateway at several members: one that does not answer is left."""

    def __init__(self, endpoints):
        self.hosts = [urlsplit(e).netloc for e in endpoints]
        self.first = 0

    def post(self, path, body, deadline):
        """Asks until a member answers. What is asked has to bear being done twice."""
        error = "there was no time"
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Uncertain(error)
            try:
                status, reply = self._ask(path, body, min(left, 1.0))
            except (OSError, ValueError, http.client.HTTPException) as e:
                error = f"{path}: {e!r}"
                self.first += 1
                time.sleep(min(0.05, max(0.0, deadline - time.monotonic())))
                continue
            if status == 200:
                return reply
            text = f"{path}: {reply.get('message', reply)}"
            if "lease not found" in text:
                raise Refused(text)
            error = text  # a member without a leader, for example
            self.first += 1
            time.sleep(min(0.05, max(0.0, deadline - time.monotonic())))

    def _ask(self, path, body, limit):
        host = self.hosts[self.first % len(self.hosts)]
        connection = http.client.HTTPConnection(host, timeout=limit)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            # Of a stream, the keepalive's, the first message is all.
            line = answer.readline() if path == "/v3/lease/keepalive" else answer.read()
            return answer.status, json.loads(line)
        finally:
            connection.close()

    def changed(self, key, revision, limit):
        """Waits for a change of the key from a revision on, but no longer than limit."""
        host = self.hosts[self.first % len(self.hosts)]
        connection = http.client.HTTPConnection(host, timeout=limit)
        try:
            request = {"create_request": {"key": b64(key), "start_revision": str(revision)}}
            connection.request("POST", "/v3/watch", json.dumps(request))
            answer = connection.getresponse()
            end = time.monotonic() + limit
            while time.monotonic() < end:
                line = answer.readline()
                if not line or "events" in json.loads(line).get("result", {}):
                    return
        except (OSError, ValueError, http.client.HTTPException):
            self.first += 1
        finally:
            connection.close()


class Lease:
    """A lease that is renewed, and told of when it is lost."""

    def __init__(self, etcd, ttl, deadline, lost):
        self.etcd, self.ttl, self.lost = etcd, ttl, lost
        sent = time.monotonic()
        self.id = etcd.post("/v3/lease/grant", {"TTL": str(ttl)}, deadline)["ID"]
        self.good_until = sent + ttl
        self.over = threading.Event()
        threading.Thread(target=self._renew, daemon=True).start()

    def _renew(self):
        while not self.over.wait(self.ttl / 4):
            # A renewal that was answered had reached etcd after it was sent: the
            # lease lives for its whole time from then on, and maybe no longer.
            sent = time.monotonic()
            try:
                reply = self.etcd.post("/v3/lease/keepalive", {"ID": self.id}, self.good_until)
                alive = int(reply["result"].get("TTL", 0)) > 0
            except (Uncertain, Refused, KeyError):
                alive = False
            if not alive:
                self.over.set()
                self.lost(self.id)
                return
            self.good_until = sent + self.ttl


class Queue:
    """Keys in the order of their creation: the first one owns."""

    def __init__(self, program, message):
        self.etcd, self.program = program.etcd, program
        self.prefix = message["prefix"] + "/"
        self.deadline = message["deadline"]

    def key(self, lease):
        return self.prefix + lease

    def blocks(self, key):
        """True if who has an older key has to leave first."""
        return True

    def keys(self, limit=0):
        """All keys, the oldest first, and the revision at which they were read."""
        reply = self.etcd.post("/v3/kv/range", {
            "key": b64(self.prefix), "range_end": b64(self.prefix[:-1] + "0"),
            "sort_target": "CREATE", "sort_order": "ASCEND", "limit": str(limit)}, self.deadline)
        return reply.get("kvs", []), int(reply["header"]["revision"])

    def enter(self, value):
        """Puts the key, unless it is there: an answer that was lost does no harm."""
        lease = self.program.lease_of(self.deadline)
        key = self.key(lease.id)
        reply = self.etcd.post("/v3/kv/txn", {
            "compare": [{"key": b64(key), "target": "CREATE", "result": "EQUAL", "create_revision": "0"}],
            "success": [{"request_put": {"key": b64(key), "value": b64(value), "lease": lease.id}}],
            "failure": [{"request_range": {"key": b64(key)}}]}, self.deadline)
        if reply.get("succeeded"):
            return key, int(reply["header"]["revision"])
        kv = reply["responses"][0]["response_range"]["kvs"][0]
        if kv.get("value", "") != b64(value):
            raise Uncertain(f"the key {key} of an earlier call is still there")
        return key, int(kv["create_revision"])

    def leave(self, key, token, deadline=None):
        self.etcd.post("/v3/kv/txn", {
            "compare": [{"key": b64(key), "target": "CREATE", "result": "EQUAL", "create_revision": str(token)}],
            "success": [{"request_delete_range": {"key": b64(key)}}]}, deadline or self.deadline)

    def acquire(self, value, wait=True):
        key, token = self.enter(value)
        try:
            while True:
                kvs, revision = self.keys()
                if not any(kv["key"] == b64(key) and int(kv["create_revision"]) == token for kv in kvs):
                    raise Refused("the key went with its lease while it waited")
                older = [kv for kv in kvs if int(kv["create_revision"]) < token and self.blocks(unb64(kv["key"]))]
                if not older:
                    return {"key": key, "token": str(token), "lease": self.program.lease.id}
                if not wait:
                    raise Refused("another has the lock", taken=True)
                left = self.deadline - time.monotonic()
                if left <= 0:
                    raise Uncertain("it was not its turn in time")
                self.etcd.changed(unb64(older[-1]["key"]), revision + 1, min(left, 1.0))
        except (Uncertain, Refused):
            # Whoever gives up is in nobody's way.
            self.leave(key, token, time.monotonic() + 1)
            raise


class Program:
    """The protocol: see docs/protocol.md."""

    name, primitive, layout, queue = "python-lock", "mutex", "oldest-key", Queue
    ops = ["acquire", "try-acquire", "release", "work", "lost", "bye"]

    def __init__(self):
        self.writing = threading.Lock()
        self.lease, self.held, self.calls = None, {}, 0

    def say(self, message):
        with self.writing:
            sys.stdout.write(json.dumps(message) + "\n")
            sys.stdout.flush()

    def lease_of(self, deadline):
        if self.lease is None or self.lease.over.is_set():
            self.lease = Lease(self.etcd, self.ttl, deadline, self.lost)
        return self.lease

    def lost(self, lease):
        self.say({"event": "lost", "lease": lease})

    def run(self):
        for line in sys.stdin:
            message = json.loads(line)
            message["deadline"] = time.monotonic() + message.get("timeout_ms", 60000) / 1000 - 0.05
            answer = {"id": message.get("id"), "ok": True}
            method = getattr(self, message["op"].replace("-", "_"), None)
            try:
                if method is None:
                    raise Refused(f"there is no op {message['op']}")
                answer.update(method(message) or {})
            except Refused as e:
                answer.update({"ok": False, "error": str(e), "certain": True}, **e.more)
            except Exception as e:  # whatever else: nobody knows
                answer.update({"ok": False, "error": repr(e), "certain": False})
            if "id" in message:
                self.say(answer)
            if message["op"] == "bye":
                return

    def hello(self, message):
        self.etcd = Etcd(message["endpoints"])
        self.client, self.ttl = message["client"], message["ttl_ms"] // 1000
        return {"version": 1, "name": self.name, "primitive": self.primitive, "ops": self.ops, "layout": self.layout}

    def bye(self, message):
        if self.lease is None:
            return
        self.lease.over.set()
        try:
            self.etcd.post("/v3/lease/revoke", {"ID": self.lease.id}, message["deadline"])
        except Refused:
            pass  # it has ended already

    def win(self, message, value, wait=True):
        won = self.queue(self, message).acquire(value, wait)
        self.held[message["object"]] = (won["key"], int(won["token"]))
        return won

    def acquire(self, message, wait=True):
        self.calls += 1
        return self.win(message, f"{self.client} {self.calls}", wait)

    def try_acquire(self, message):
        return self.acquire(message, wait=False)

    def release(self, message):
        if message["object"] not in self.held:
            raise Refused("it does not hold the lock")
        key, token = self.held.pop(message["object"])
        self.queue(self, message).leave(key, token)

    def work(self, message):
        """Reads the protected resource, takes its time, and writes to it."""
        _, token = self.held[message["object"]]
        self.ask("read"), self.ask("read", token)
        end = time.monotonic() + message["ms"] / 1000
        while time.monotonic() < end and not self.lease.over.is_set():
            time.sleep(max(0.0, min(0.02, end - time.monotonic())))
        if self.lease.over.is_set():
            raise Refused("the lease was lost: nothing is written")
        if message.get("mode") != "read":
            self.ask("write"), self.ask("write", token)

    def ask(self, call, token=None):
        question = {"call": call, "id": call}
        if token is not None:
            question["token"] = str(token)
        self.say(question)
        return json.loads(sys.stdin.readline())


if __name__ == "__main__":
    Program().run()
