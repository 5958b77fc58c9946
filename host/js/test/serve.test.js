// What a connection does with an answer. Sockets speak bytes, so that no library hides anything.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Imds } from "imds-component";
import { Rest } from "../request_body.js";
import { lengthOfHead } from "../head.js";
import { withTraps } from "./trap.js";
import { send } from "./ways.js";

const get = (path, ...fields) => `GET ${path} HTTP/1.1\r\n${["Host: localhost", ...fields].join("\r\n")}\r\n\r\n`;
const put = (...fields) => get("/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60", ...fields).replace("GET", "PUT");
const statuses = (answers) => [...answers.toString().matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
/** What comes within a while, and whether the connection is still open then. */
async function within(ms, port, bytes) {
  const socket = connect(port, "127.0.0.1");
  let [received, isOpen] = ["", true];
  socket.on("data", (data) => { received += data; }).on("close", () => { isOpen = false; });
  socket.write(bytes);
  await Promise.race([sleep(ms), once(socket, "close")]);
  socket.destroy();
  return { received, isOpen };
}

/** Another one, which is closed however the test ends. */
function opened(t, description) {
  const other = new Imds(description);
  t.after(() => other.close());
  return other;
}

let imds;
let kept;
let port;
before(async () => {
  imds = new Imds();
  kept = (await imds.serve({ keepAlive: true })).port;
  port = (await imds.serve()).port;
});
beforeEach(() => imds.edit({ faults: [] }));
after(() => imds.close());

test("a connection stays open where that was asked for, and else is closed", async () => {
  const two = get("/latest/") + get("/latest/", "Connection: close");
  assert.deepEqual(statuses(await send(kept, two)), [200, 200]);
  assert.deepEqual(statuses(await send(port, two)), [200]);
  assert.match((await send(port, get("/latest/"))).toString(), /\r\nConnection: close\r\n/);
});

test("heads in pieces and several at once are answered in their order", async () => {
  const socket = connect(kept, "127.0.0.1");
  let received = "";
  socket.on("data", (data) => { received += data; });
  for (const byte of `\r\n${get("/latest/meta-data/instance-type")}`) socket.write(byte);
  socket.write(get("/nothing") + get("/latest/", "Connection: close"));
  await once(socket, "close");
  assert.deepEqual(statuses(received), [200, 404, 200]);
});

test("who closed its side gets its answer, however late", async () => {
  imds.edit({ faults: [{ kind: "delay", delay: "200ms" }] });
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(get("/latest/"));
  let received = "";
  for await (const data of socket) received += data;
  assert.deepEqual(statuses(received), [200]);
});

test("a body is read to its end and is no request", async () => {
  const behind = get("/latest/", "Connection: close");
  const inner = get("/inner");
  const chunked = `${inner.length.toString(16)};a=b\r\n${inner}\r\n0\r\nTrailer: x\r\n\r\n`;
  const bodies = [[`Content-Length: ${inner.length}`, inner], ["Transfer-Encoding: chunked", chunked]];
  for (const [field, body] of bodies) {
    const asked = imds.requests.length;
    assert.deepEqual(statuses(await send(kept, put(field) + body + behind)), [200, 200], field);
    assert.deepEqual(imds.requests.slice(asked).map(({ path }) => path), ["/latest/api/token", "/latest/"], field);
  }
});

test("behind a body without a certain end the connection is closed, and its answer arrives", async () => {
  const large = Buffer.alloc(4 << 20, "GET /inner HTTP/1.1\r\n\r\n");
  const bodies = [
    [`Content-Length: ${large.length}`, large], ["Transfer-Encoding: chunked", "3\r\nabcd"],
    ["Transfer-Encoding: chunked", large], ["Content-Length: 10", "short"],
  ];
  for (const [field, body] of bodies) {
    for (const at of [kept, port]) {
      const asked = imds.requests.length;
      const socket = connect(at, "127.0.0.1");
      socket.on("error", () => {});
      let received = "";
      socket.on("data", (data) => { received += data; });
      socket.write(put(field));
      socket.write(body);
      await once(socket, "close");
      assert.deepEqual(statuses(received), [200], field);
      assert.equal(imds.requests.length, asked + 1, field);
    }
  }
});

test("a body that is wrong in itself is not waited for", async () => {
  const socket = connect(kept, "127.0.0.1");
  const begin = performance.now();
  socket.write(`${put("Transfer-Encoding: chunked")}3\r\nabcd\r\n`);
  const [answer] = await once(socket, "data");
  assert.ok(performance.now() - begin < 900, "the time for a body is a second");
  assert.deepEqual(statuses(answer), [200]);
  socket.destroy();
});

test("who waits for `100 Continue` is answered at once", async () => {
  assert.deepEqual(statuses(await send(kept, put("Content-Length: 10", "Expect: 100-continue"))), [200]);
});

test("a head beyond the bounds gets 431, and one that is none 400", async () => {
  assert.deepEqual(statuses(await send(port, get("/latest/", `A: ${"b".repeat(20_000)}`))), [431]);
  assert.deepEqual(statuses(await send(port, get("/latest/", ...Array(64).fill("A: b")))), [431]);
  assert.deepEqual(statuses(await send(port, Buffer.from([0x16, 3, 1, 2, 0]))), [400]);
  assert.deepEqual(statuses(await send(port, "GET\r\n\r\n")), [400]);
  const lengths = [
    ["", undefined], ["GET /", undefined], ["a\n\nb", 3], ["\r\n\na\r\nb\n\r\nmore", 10], ["a\r\n\r\n", 5], ["\x16", 1],
  ];
  for (const [text, length] of lengths) assert.equal(lengthOfHead(Buffer.from(text)), length, JSON.stringify(text));
});

test("a body is the same whole and byte by byte", () => {
  const broken = [
    "x\r\nabc", "-3\r\n", "3\r\nabcd\r\n", "3\nabc\n", `${"f".repeat(18)}\r\n`, "\r\n", "3;a\0b\r\n", "0\r\n\n",
    "0\r\nA: b\n\n", "0\r\nGET /x HTTP/1.1\r\n\r\n", "0\r\n: x\r\n\r\n",
  ];
  const cases = [
    ["length", 3, "abcGET", 3], ["length", 3, "ab", undefined], ["length", 0, "GET", 3], ["none", 0, "GET", 3],
    ["chunked", 0, "3\r\nabc\r\n0\r\n\r\nGET", 3], ["chunked", 0, "A\r\n0123456789\r\n00\r\nA: b\r\n\r\n", 0],
    ...broken.map((bytes) => ["chunked", 0, bytes, undefined]),
  ];
  for (const [kind, bytes, text, behind] of cases) {
    const input = Buffer.from(text, "latin1");
    const { length, is } = Rest.of(kind, bytes).take(input);
    assert.equal(is === "whole" ? input.length - length : undefined, behind, JSON.stringify(text));
    const rest = Rest.of(kind, bytes);
    let [waiting, state, at] = [Buffer.alloc(0), rest.take(Buffer.alloc(0)).is, 0];
    for (; state === "part" && at < input.length; at += 1) {
      waiting = Buffer.concat([waiting, input.subarray(at, at + 1)]);
      const taken = rest.take(waiting);
      waiting = waiting.subarray(taken.length);
      state = taken.is;
    }
    assert.equal(state === "whole" ? input.length - at : undefined, behind, `${JSON.stringify(text)} byte by byte`);
  }
  assert.equal(Rest.of("unknown"), undefined);
});

test("faults are delivered as they say", async () => {
  const fault = (kind, more) => imds.edit({ faults: [{ kind, ...more }] });
  fault("close");
  assert.equal((await send(port, get("/latest/"))).length, 0);
  fault("cut");
  const [, length, body] = /Content-Length: (\d+)[^]*\r\n\r\n([^]*)$/.exec(await send(kept, get("/latest/meta-data/")));
  assert.ok(body.length < Number(length), `${body.length} of ${length} bytes`);
  fault("delay", { delay: "400ms" });
  const begin = performance.now();
  assert.deepEqual(statuses(await send(port, get("/latest/"))), [200]);
  assert.ok(performance.now() - begin >= 390);
  fault("withhold");
  assert.deepEqual(await within(300, port, get("/latest/")), { received: "", isOpen: true });
});

test("closing ends connections that wait, and leaves no timer behind", async (t) => {
  const other = opened(t, { faults: [{ kind: "delay", delay: "1m" }] });
  const server = await other.serve();
  const answer = send(server.port, get("/latest/"));
  while (other.requests.length === 0) await sleep(5);
  await server.close();
  assert.equal((await answer).length, 0);
});

test("a clock may throw anything", async (t) => {
  let isBroken = false;
  const other = new Imds({}, { clock: () => { if (isBroken) throw undefined; return 0; } });
  t.after(() => other.close());
  const server = await other.serve();
  isBroken = true;
  assert.deepEqual(statuses(await send(server.port, get("/latest/"))), [500]);
  isBroken = false;
  assert.deepEqual(statuses(await send(server.port, get("/latest/"))), [200]);
});

test("a trap costs its connection, which gets 500", async (t) => {
  let traps = false;
  await withTraps(() => traps, async () => {
    const other = opened(t);
    const server = await other.serve();
    const warned = once(process, "warning");
    traps = true;
    assert.deepEqual(statuses(await send(server.port, get("/latest/"))), [500]);
    traps = false;
    assert.match(String((await warned)[0]), /RuntimeError.*unreachable/);
    assert.deepEqual(statuses(await send(server.port, get("/latest/"))), [200]);
  });
});

test("IPv6 is refused unless the description has it", async (t) => {
  const other = opened(t);
  let server;
  try {
    server = await other.serve({ host: "::1" });
  } catch (error) {
    // A machine may have no IPv6; then there is nothing to listen on.
    assert.match(error.code, /EADDRNOTAVAIL|EAFNOSUPPORT/);
    console.log("SKIPPED: this machine has no IPv6");
    return;
  }
  assert.equal((await fetch(`${server.url}/latest/`)).status, 403);
  assert.equal(other.requests[0].outcome, "ipv6-disabled");
  other.edit({ "metadata-options": { "http-protocol-ipv6": "enabled" } });
  assert.equal((await fetch(`${server.url}/latest/`)).status, 200);
});

test("a port that is taken is an error", async () => {
  await assert.rejects(imds.serve({ port }), { code: "EADDRINUSE" });
});
