#!/usr/bin/env python3
"""A leader election over etcd's JSON gateway, built on lock.py beside it:

    holdfast run --pipe 'python3 examples/pipe-python/election.py'
"""
import threading
import time

from lock import Program, Queue, Refused, Uncertain, b64, unb64


class Election(Program):
    name, primitive = "python-election", "election"
    ops = ["campaign", "proclaim", "resign", "leader", "observe", "lost", "bye"]

    def __init__(self):
        super().__init__()
        self.stopped = {}

    def campaign(self, message):
        return self.win(message, message["value"])

    def proclaim(self, message):
        key, token = self._mine(message)
        reply = self.etcd.post("/v3/kv/txn", {
            "compare": [{"key": b64(key), "target": "CREATE", "result": "EQUAL", "create_revision": str(token)}],
            "success": [{"request_put": {"key": b64(key), "value": b64(message["value"]), "lease": self.lease.id}}],
        }, message["deadline"])
        if not reply.get("succeeded"):
            raise Refused("it does not lead any more")

    def resign(self, message):
        key, token = self._mine(message)
        del self.held[message["object"]]
        Queue(self, message).leave(key, token)

    def _mine(self, message):
        if message["object"] not in self.held:
            raise Refused("it does not lead")
        return self.held[message["object"]]

    def leader(self, message):
        kvs, revision = Queue(self, message).keys(limit=1)
        if not kvs:
            return {"none": True}
        return {"value": unb64(kvs[0].get("value", "")), "key": unb64(kvs[0]["key"]),
                "token": kvs[0]["create_revision"], "revision": str(revision)}

    def observe(self, message):
        stop = self.stopped[message["id"]] = threading.Event()
        threading.Thread(target=self._observe, args=(message, stop), daemon=True).start()
        message["observing"] = message.pop("id")  # answered at its end

    def _observe(self, message, stop):
        last, error = None, None
        while not stop.is_set() and error is None:
            try:
                message["deadline"] = time.monotonic() + 3
                now = self.leader(message)
            except (Uncertain, Refused):
                continue
            seen = (now.get("token"), now.get("value"))
            if "value" in now and seen != last:
                last = seen
                self.say({"id": message["observing"], "event": "observed", **now})
            stop.wait(0.02)
        self.say({"id": message["observing"], "ok": True})

    def cancel(self, message):
        if message["of"] in self.stopped:
            self.stopped.pop(message["of"]).set()


if __name__ == "__main__":
    Election().run()
