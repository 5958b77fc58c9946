"""A whole host of imds.core.wasm, without the component model, and a player of the replay log: docs/core-abi.md."""

import json
import struct
import sys
import time

from wasmtime import FuncType, Linker, Module, Store, ValType

INTERFACE = "imds:service/metadata@0.2.0"
# `struct` formats of the results, in the order of the tables; `x` is where nothing lies.
ANSWER = struct.Struct("<IIIIHBBBBBxB3xB3xI4xB7xQ?7xQB7xIIQ")
OUTCOMES = """not-running head-unreadable head-too-large no-instance fault-refused throttled found token-issued
methods-listed host-refused endpoint-disabled ipv6-disabled token-method-refused forwarded ttl-refused token-missing
token-invalid token-expired method-refused not-found signatures-wanted credentials-id-missing credentials-id-unknown
credentials-not-delivered authorization-missing authorization-invalid""".split()


class Imds:
    """One instance of the module, with one memory."""

    def __init__(self, path):
        self.store = Store()
        linker, i32 = Linker(self.store.engine), ValType.i32()
        # A handle is the address of what it stands for, so there is no table of handles.
        linker.define_func(f"[export]{INTERFACE}", "[resource-new]instance", FuncType([i32], [i32]), lambda at: at)
        linker.define_func(f"[export]{INTERFACE}", "[resource-drop]instance", FuncType([i32], []), lambda handle: None)
        self.exports = linker.instantiate(self.store, Module.from_file(self.store.engine, path)).exports(self.store)
        self.memory = self.exports["memory"]

    def call(self, name, *numbers):
        return self.exports[name](self.store, *numbers)

    def read(self, at, length):
        return bytes(self.memory.read(self.store, at, at + length))

    def passed(self, data, alignment=1):
        """Copies bytes into the memory, for the callee to free, and returns address and length."""
        at = self.call("cabi_realloc", 0, 0, alignment, len(data))
        self.memory.write(self.store, data, at)
        return at, len(data)

    def open(self, description, settings):
        hosts = [struct.pack("<II", *self.passed(host.encode())) for host in settings["allowed-hosts"]]
        scope, name = settings["scope"], f"{INTERFACE}#[static]instance.open"
        result = self.call(
            name, *self.passed(description.encode()), *self.passed(settings["token-secret"].encode("latin-1")),
            self.passed(b"".join(hosts), 4)[0], len(hosts), settings["signs-identity"],
            scope is not None, *self.passed((scope or "").encode()))
        failed, handle, count = struct.unpack("<B3xII", self.read(result, 12))
        self.call(f"cabi_post_{name}", result)
        assert not failed, f"{count} problems with the description"
        return handle

    def answer(self, handle, head, moment, signatures):
        names = ("now-ms", "entropy", "throttle-state", "request-number")
        # The engine takes numbers of 64 bits with a sign.
        numbers = struct.unpack("<4q", struct.pack("<4Q", *(int(moment[name]) for name in names)))
        texts = [self.passed((signatures or {}).get(name, "").encode()) for name in ("signature", "pkcs7", "rsa2048")]
        at = self.call(
            f"{INTERFACE}#[method]instance.answer", handle, *self.passed(head.encode("latin-1")), *numbers,
            moment["over-ipv6"], moment["keep-alive"], signatures is not None, *sum(texts, ()))
        (head_at, head_length, body_at, body_length, status, outcome, has_version, version, has_limit, limit,
         has_delivery, delivery, delay, body, length, keep_alive, throttle, to_sign, text_at, text_length, signing_time,
         ) = ANSWER.unpack(self.read(at, ANSWER.size))
        return {
            "head": self.read(head_at, head_length).decode("latin-1"),
            "body": self.read(body_at, body_length).decode("latin-1"),
            "status": status,
            "outcome": OUTCOMES[outcome],
            "session-version": ("one", "two")[version] if has_version else None,
            "hop-limit": limit if has_limit else None,
            "delivery": ({"delayed": delay}, "closed", "cut", "withheld")[delivery] if has_delivery else None,
            "request-body": ("none", {"length": str(length)}, "chunked", "unknown")[body],
            "keep-alive": keep_alive,
            "throttle-state": str(throttle),
            "to-sign": {"text": self.read(text_at, text_length).decode(), "signing-time-ms": str(signing_time)}
            if to_sign else None,
        }


def main(module, log):
    imds, handle, asked, wrong, started = Imds(module), None, 0, 0, time.monotonic()
    for line in map(json.loads, open(log, encoding="utf-8")):
        if "open" in line:
            if handle is not None:
                imds.call(f"{INTERFACE}#[dtor]instance", handle)
            handle = imds.open(line["open"]["description"], line["open"]["settings"])
        else:
            answer, asked = imds.answer(handle, line["ask"], line["moment"], line["signatures"]), asked + 1
            if answer != line["answer"]:
                wrong += 1
                print(f"{line['case']}: expected {line['answer']}, received {answer}")
    print(f"{asked} requests, {wrong} wrong, {asked / (time.monotonic() - started):.0f} a second")
    return wrong > 0 or asked == 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
