// Wrong options are refused at once, by name, with what is expected.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Imds } from "imds-component";

const refused = (act, words) => assert.throws(act, (error) => {
  assert.ok(error instanceof TypeError, String(error));
  assert.match(error.message, words);
  return true;
});

test("options of an instance are checked by name and type", () => {
  const wrong = [
    [{ clock: "2026-01-01" }, /`clock` .* is a string; expected a Date/],
    [{ clock: new Date("x") }, /`clock` .* an invalid Date/],
    [{ clock: NaN }, /`clock` .* NaN/], [{ clock: -1 }, /`clock` .* from 1970 on/],
    [{ clock: null }, /`clock` .* null/],
    [{ tokenSecret: "0123456789abcdef" }, /`tokenSecret` .* is a string; expected bytes/],
    [{ tokenSecret: 32 }, /`tokenSecret` .* the number 32; expected bytes/],
    [{ allowedHosts: "a.example" }, /`allowedHosts` .* expected an array of names/],
    [{ allowedHosts: [1] }, /`allowedHosts`/], [{ sign: 1 }, /`sign` .* expected a function/],
    [{ sign: async () => {} }, /`sign` .* at once, not by a promise/],
    [{ clok: 1 }, /no option `clok`; it takes `clock`, `tokenSecret`/],
    [3, /the options of new Imds are an object, not the number 3/],
    [null, /not null/],
  ];
  for (const [options, words] of wrong) refused(() => new Imds({}, options), words);
  const imds = new Imds({}, { clock: undefined, tokenSecret: Buffer.alloc(16), allowedHosts: ["a.example"] });
  assert.equal(imds.answer({ path: "/latest/", headers: { Host: "a.example" } }).status, 200);
  const secret = "0123456789abcdef";
  assert.throws(() => new Imds({}, { tokenSecret: secret }), ({ message }) => !message.includes(secret));
});

test("a clock and a signer that give something else are told", () => {
  refused(() => new Imds({}, { clock: () => "now" }).now, /`clock` gave a string; expected a Date/);
  const path = "/latest/dynamic/instance-identity/pkcs7";
  for (const given of [Promise.resolve({}), undefined, { signature: "s" }]) {
    const imds = new Imds({}, { sign: () => given });
    refused(() => imds.answer({ path }), /`sign` gave .*expected at once, not by a promise/);
  }
});

test("options of an answer and of a server are checked", async (t) => {
  const imds = new Imds();
  t.after(() => imds.close());
  const answered = (options) => imds.answer({ path: "/" }, options);
  refused(() => answered({ keepalive: true }), /answer has no option `keepalive`; it takes `keepAlive`,/);
  refused(() => answered({ overIpv6: 1 }), /`overIpv6` of answer .* true or false/);
  const wrong = [
    [{ port: "x" }, /`port` of serve is a string; expected a whole number/],
    [{ port: 70_000 }, /the number 70000/],
    [{ prot: 1 }, /serve has no option `prot`/], [8080, /the options of serve are an object, not the number 8080/],
    [{ keepalive: true }, /no option `keepalive`/], [{ keepAlive: "yes" }, /`keepAlive`/], [{ host: 1 }, /`host`/],
  ];
  for (const [options, message] of wrong) await assert.rejects(imds.serve(options), { name: "TypeError", message });
});

test("a header without a value is left out", () => {
  const imds = new Imds({ "metadata-options": { "http-tokens": "required" } });
  const outcome = (value) => imds.answer({ path: "/latest/", headers: { "X-aws-ec2-metadata-token": value } }).outcome;
  assert.deepEqual([undefined, null, [], "undefined"].map(outcome),
    ["token-missing", "token-missing", "token-missing", "token-invalid"]);
});

test("what is no description is refused, not served as the default", () => {
  const type = "instance-type";
  refused(() => new Imds(new Map([[type, "x"]])), /a description is a Map; expected an object of fields, or JSON text/);
  refused(() => new Imds(new TextEncoder().encode("{}")), /is a Uint8Array/);
  refused(() => new Imds(Promise.resolve({})), /is a Promise/);
  refused(() => new Imds(() => ({})), /is a function/);
  refused(() => new Imds({ tags: new Map() }), /`tags` of a description is a Map, which JSON/);
  refused(() => new Imds({ "launch-time": new Date("x") }), /`launch-time` .* an invalid Date/);
  refused(() => new Imds().edit({ "ami-launch-index": NaN }), /`ami-launch-index` of a change is NaN/);
  refused(() => new Imds().edit(), /a change is undefined/);
  assert.equal(new Imds({ [type]: "m7g.large", "user-data": undefined }).description[type], "m7g.large");
});

test("a text that is no JSON is told with its place, and another language with what makes JSON of it", () => {
  const message = (text) => {
    try {
      new Imds(text);
    } catch (error) {
      return error.message;
    }
  };
  assert.equal(message("toml = 1"),
    "line 1, column 2: expected ident (a description here is JSON; `imds export` makes it of TOML)");
  assert.equal(message('{"state": "running",\n "tags" {}}'), "line 2, column 9: expected `:`");
});

test("no time is moved to that a Date cannot hold", () => {
  const begin = new Date("2026-10-01T00:00:00Z");
  const imds = new Imds({}, { clock: begin });
  for (const far of ["100000000d", 9e15, "9".repeat(400) + "d"]) assert.throws(() => imds.advance(far), RangeError);
  assert.equal(imds.now.getTime(), begin.getTime());
  assert.equal(imds.answer({ path: "/latest/" }).status, 200);
  imds.advance(8.64e15 - begin);
  assert.equal(imds.now.getTime(), 8.64e15);
  assert.equal(imds.answer({ path: "/latest/" }).status, 200);
  assert.throws(() => new Imds({}, { clock: () => -1 }).now, RangeError);
});
