#!/usr/bin/env python3
"""A read-write lock over etcd's JSON gateway, built on lock.py beside it:

    holdfast run --pipe 'python3 examples/pipe-python/rwlock.py'

Readers and writers put keys of their own, below read/ and write/. A writer waits
for all who came before, a reader for the writers among them.
"""
from lock import Program, Queue


class ReadWriteQueue(Queue):
    def __init__(self, program, message):
        super().__init__(program, message)
        self.mode = message["mode"]

    def key(self, lease):
        return f"{self.prefix}{self.mode}/{lease}"

    def blocks(self, key):
        return self.mode == "write" or key.startswith(self.prefix + "write/")


class ReadWriteLock(Program):
    name, primitive, layout, queue = "python-rwlock", "rwmutex", "read-write-keys", ReadWriteQueue
    ops = ["acquire", "release", "work", "lost", "bye"]


if __name__ == "__main__":
    ReadWriteLock().run()
