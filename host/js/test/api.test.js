import assert from "node:assert/strict";
import { test } from "node:test";
import { Imds, ImdsError } from "imds-component";
import { asyncDispose } from "../dispose.js";
import { milliseconds } from "../duration.js";
import { withTraps } from "./trap.js";

const BEGIN = new Date("2026-10-01T00:00:00Z");
const text = (imds, path) => imds.answer({ path: `/latest/${path}` }).text;

test("an edit changes the instance, and a wrong one nothing", () => {
  const imds = new Imds();
  imds.edit({ tags: { Name: "web" }, "metadata-options": { "instance-metadata-tags": "enabled" } });
  assert.equal(text(imds, "meta-data/tags/instance/Name"), "web");
  imds.edit('{"tags": {"Name": "db"}}');
  assert.equal(text(imds, "meta-data/tags/instance/Name"), "db");
  assert.equal(imds.description.tags.Name, "db");
  assert.throws(() => imds.edit({ tags: { Name: "x" }, "instnace-type": "t3.micro" }), (error) => {
    assert.ok(error instanceof ImdsError);
    assert.equal(error.message, "/instnace-type: unknown field `instnace-type` (did you mean `instance-type`?)");
    assert.equal(error.problems[0].inName, true);
    return true;
  });
  assert.equal(text(imds, "meta-data/tags/instance/Name"), "db");
});

test("a description that is none is refused with its place", () => {
  assert.throws(() => new Imds("{"), (error) => error.problems[0].position.line === 1);
  assert.throws(() => new Imds({}, { tokenSecret: new Uint8Array(3) }), ImdsError);
});

test("an operation of EC2 is an edit", () => {
  const imds = new Imds({}, { clock: BEGIN });
  imds.edit({ operation: { interrupt: { action: "terminate" } } });
  assert.equal(JSON.parse(text(imds, "meta-data/spot/instance-action")).time, "2026-10-01T00:02:00Z");
  const { at } = imds.status.happenings.find(({ what }) => what === "spot interruption: terminate");
  assert.equal(at.getTime(), BEGIN.getTime() + 120_000);
  imds.advance("2m");
  assert.equal(imds.status.state, "terminated");
  assert.equal(imds.answer({ path: "/" }).delivery.kind, "closed");
});

test("time moves by the clock and by `advance`", () => {
  let now = BEGIN.getTime();
  const imds = new Imds({ "metadata-options": { "http-tokens": "required" } }, { clock: () => new Date(now) });
  const headers = { "X-aws-ec2-metadata-token-ttl-seconds": 60 };
  const token = imds.answer({ method: "PUT", path: "/latest/api/token", headers });
  assert.equal(token.hopLimit, 1);
  const ask = () => imds.answer({ path: "/latest/", headers: new Headers({ "X-aws-ec2-metadata-token": token.text }) });
  imds.advance(30_000);
  now += 29_000;
  assert.deepEqual([ask().status, ask().headers.get("X-aws-ec2-metadata-token-ttl-seconds")], [200, "1"]);
  imds.advance("2s");
  assert.deepEqual([ask().status, ask().outcome], [401, "token-expired"]);
  assert.equal(imds.now.getTime(), BEGIN.getTime() + 61_000);
  assert.deepEqual(["1h1m1s", "+500ms", "2d", 5].map(milliseconds), [3_661_000, 500, 172_800_000, 5]);
  for (const wrong of ["", "1", "1 m", "m", "-1s", -1, NaN, Infinity, null, undefined, true]) {
    assert.throws(() => imds.advance(wrong), RangeError, String(wrong));
  }
});

test("what an outcome means is told", () => {
  const imds = new Imds({ "metadata-options": { "http-tokens": "required" } });
  const { reason, remedy } = imds.explain(imds.answer({ path: "/latest/" }).outcome);
  assert.equal(reason, 'no token, and http-tokens is "required"');
  assert.ok(remedy.length > 40);
  assert.throws(() => imds.explain("fine"));
  assert.equal(text(imds, ""), imds.answer({ path: "/latest/" }).text, "and it goes on");
});

test("a request is written of its parts, or given whole", () => {
  const imds = new Imds();
  const type = "t3.micro";
  const path = "/latest/meta-data/instance-type";
  assert.equal(imds.answer(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).text, type);
  assert.equal(imds.answer(new TextEncoder().encode(`GET ${path} HTTP/1.0\r\n\r\n`)).text, type);
  const outcome = (headers) => imds.answer({ path, headers }).outcome;
  assert.equal(outcome({ host: "evil.example.com" }), "host-refused");
  assert.equal(outcome([["Host", "localhost"], ["Host", "evil.example.com"]]), "host-refused");
  assert.equal(outcome({ Host: ["localhost", "evil.example.com"] }), "host-refused");
  assert.equal(outcome({ Accept: ["text/plain", "*/*"] }), "found");
  assert.equal(imds.answer("what\r\n\r\n").status, 400);
  assert.throws(() => imds.answer({ path, headers: { A: "b\r\nC: d" } }), /a line end in "A: b/);
  assert.throws(() => imds.answer({ path: "/☃" }), RangeError);
  assert.throws(() => imds.answer({}), /a request has a `path`/);
});

test("no BigInt comes out", () => {
  const imds = new Imds({ "request-throttle": {} });
  const request = "PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n";
  const seen = new Set();
  const look = (value) => {
    assert.notEqual(typeof value, "bigint");
    if (value === null || typeof value !== "object" || ArrayBuffer.isView(value) || seen.has(value)) return;
    seen.add(value);
    for (const key of Object.keys(value)) look(value[key]);
  };
  const answer = imds.answer(request);
  assert.deepEqual(answer.requestBody, { kind: "length", bytes: 5 });
  const { requests, status, warnings, description, schema, now } = imds;
  for (const told of [answer, requests, status, warnings, description, schema, now]) look(told);
  const signed = [];
  const sign = (document) => {
    signed.push(document);
    return { signature: "s", pkcs7: "p", rsa2048: "r" };
  };
  const signing = new Imds({}, { sign });
  for (let time = 0; time < 2; time += 1) assert.equal(text(signing, "dynamic/instance-identity/pkcs7"), "p");
  assert.equal(signed.length, 1, "a document is signed once");
  assert.ok(signed[0].signingTime instanceof Date);
  look(signed);
});

test("what cannot be real is told", () => {
  const [warning] = new Imds({ "instance-type": "t3.mikro" }).warnings;
  assert.deepEqual([warning.name, warning.field, warning.help],
    ["unknown-instance-type", "/instance-type", "did you mean `t3.micro`?"]);
});

test("the last thousand requests are kept", () => {
  const imds = new Imds({}, { clock: BEGIN });
  for (let asked = 0; asked < 2500; asked += 1) imds.answer({ path: `/${asked}` });
  const { requests } = imds;
  assert.deepEqual([requests.length, requests[0].path, requests[999].path], [1000, "/1500", "/2499"]);
  const rest = { method: "GET", status: 404, outcome: "not-found", sessionVersion: "one" };
  assert.deepEqual(requests[0], { at: BEGIN, path: "/1500", ...rest });
});

test("a trap costs one request, and the component is replaced", async () => {
  let traps = false;
  await withTraps(() => traps, async (made) => {
    const imds = new Imds({ "instance-type": "m7g.large" });
    const ttl = { "X-aws-ec2-metadata-token-ttl-seconds": 60 };
    const token = imds.answer({ method: "PUT", path: "/latest/api/token", headers: ttl });
    assert.equal(made(), 1);
    traps = true;
    assert.throws(() => text(imds, "meta-data/instance-type"), WebAssembly.RuntimeError);
    traps = false;
    const headers = { "X-aws-ec2-metadata-token": token.text };
    const { text: type } = imds.answer({ path: "/latest/meta-data/instance-type", headers });
    assert.equal(type, "m7g.large", "and takes the tokens of before");
    assert.equal(made(), 2);
    text(imds, "meta-data/");
    assert.equal(made(), 2, "one that did not trap stays");
    assert.equal(imds.requests.length, 3);
  });
});

test("edits take no memory that they do not give back", () => {
  const { Instance } = WebAssembly;
  let memory;
  WebAssembly.Instance = function (module, imports) {
    const instance = new Instance(module, imports);
    memory ??= instance.exports.memory;
    return instance;
  };
  try {
    const imds = new Imds();
    const edits = () => {
      for (let edit = 0; edit < 1000; edit += 1) imds.edit({ tags: { Name: `web-${edit}` } });
      return memory.buffer.byteLength;
    };
    assert.equal(edits(), edits());
  } finally {
    WebAssembly.Instance = Instance;
  }
});

test("an `Imds` that is closed answers no more, and closes what it serves", async (t) => {
  const imds = new Imds();
  t.after(() => imds.close());
  const { url } = await imds.serve();
  assert.equal((await fetch(`${url}/latest/`)).status, 200);
  await imds[asyncDispose]();
  await assert.rejects(fetch(`${url}/latest/`), TypeError);
  assert.throws(() => imds.answer({ path: "/" }), /this Imds is closed/);
  await assert.rejects(imds.serve(), /this Imds is closed/);
  const other = new Imds();
  const serving = other.serve();
  const isTooLate = assert.rejects(serving, /this Imds is closed/);
  await Promise.all([other.close(), isTooLate]);
  assert.equal(imds.requests.length, 1);
  await imds.close();
  assert.equal(asyncDispose, Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose"));
});
