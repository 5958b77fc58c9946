import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Imds } from "imds-component";
import { shownMethod, shownTarget } from "../shown.js";
import { cases } from "./case.js";

let drawn = 0;
/** Bytes like random ones, and the same in each run. */
const randomBytes = (count) => createHash("sha512").update(String(drawn++)).digest().subarray(0, count);

test("tokens and keys are left out, wherever a client puts them", () => {
  const pick = (bytes, alphabet) => [...bytes].map((byte) => alphabet[byte % alphabet.length]).join("");
  const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  for (let time = 0; time < 2000; time += 1) {
    const secrets = [
      `AQAE${randomBytes(39).toString("base64")}`, // a session token
      randomBytes(30).toString("base64"), // a secret key
      `ASIA${pick(randomBytes(16), capitals)}`,
      randomBytes(16).toString("hex"),
    ];
    for (const secret of secrets) {
      const end = secret.slice(-8);
      for (const target of [`/latest/${secret}`, `/latest/meta-data/${encodeURIComponent(secret)}/x`,
        `/latest/${encodeURIComponent(encodeURIComponent(secret))}`, `/latest/?token=${secret}`, `http://${secret}@localhost/`,
        secret]) {
        const shown = shownTarget(target);
        assert.ok(!shown.includes(end) && !shown.includes(secret.slice(8, 16)), `${target} is shown as ${shown}`);
      }
      assert.equal(shownMethod(secret), "…");
      assert.match(shownTarget(`/latest/${secret}/../meta-data`, true), /^\/latest\/.{0,7}…$/);
    }
  }
});

test("the table that the program holds to holds here", () => {
  const lines = readFileSync(new URL("../../../tests/shown-targets.txt", import.meta.url), "utf8").split("\n");
  let count = 0;
  for (const line of lines.filter((line) => line && !line.startsWith("#"))) {
    const [sign, first, second] = line.split(" ");
    if (sign === "+") {
      assert.equal(shownTarget(first), first);
    } else {
      // What is found in an instance is kept however it looks, but for what follows it.
      const shown = [shownTarget(second), ...(second.includes("#") ? [shownTarget(second, true)] : [])].join(" ");
      for (let at = 0; at + 12 <= first.length; at += 1) {
        assert.ok(!shown.includes(first.slice(at, at + 12)), `${second} is shown as ${shown}`);
      }
    }
    count += 1;
  }
  assert.ok(count > 15, `${count} lines`);
});

test("paths of the service are kept", () => {
  const targets = cases.flatMap(({ steps }) => steps).filter(({ is }) => is === "exchange").map(({ target }) => target);
  const plain = targets.filter((target) => /^\/[!-$&->@-z|~]*$/.test(target) && target.length <= 160 && !/[{\\]|^\/v[12]\//.test(target));
  assert.ok(plain.length > 500, `${plain.length} targets`);
  // What looks like a hash is kept where it is found.
  const hash = /[0-9a-f]{32}/;
  assert.deepEqual(plain.filter((target) => !hash.test(target) && shownTarget(target) !== target), []);
  assert.deepEqual(plain.filter((target) => shownTarget(target, true) !== target), []);
  const role = "/latest/meta-data/iam/security-credentials/AmazonSSMRoleForInstancesQuickSetup";
  assert.equal(shownTarget(role, true), role);
});

test("what is shown is bounded and printable", () => {
  assert.equal(shownTarget(`/${"a b".repeat(100)}`).length, 161);
  assert.equal(shownTarget("/\x1b[2J\xfc"), "/\\x1b[2J\\xfc");
  assert.equal(shownTarget("/latest/?x"), "/latest/?…");
  assert.equal(shownTarget("/latest/?x", true), "/latest/?…");
  assert.equal(shownTarget("/latest/#hunter2", true), "/latest/#…");
  for (const scheme of ["http", "h2c", "x+y.z"]) assert.equal(shownTarget(`${scheme}://u:hunter2@localhost/`), `${scheme}://localhost/`);
  assert.equal(shownTarget(`/${"x".repeat(70)}`), "…");
  assert.equal(shownMethod("G".repeat(30)), `${"G".repeat(20)}…`);
});

test("a token in the journal is none", () => {
  const imds = new Imds();
  const ttl = { "X-aws-ec2-metadata-token-ttl-seconds": 60 };
  const { text } = imds.answer({ method: "PUT", path: "/latest/api/token", headers: ttl });
  imds.answer({ path: `/latest/meta-data/${text}`, headers: { "X-aws-ec2-metadata-token": text } });
  imds.answer(`${text} / HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  assert.ok(!JSON.stringify(imds.requests).includes(text.slice(0, 20)), JSON.stringify(imds.requests));
  assert.equal(imds.requests.length, 3);
});

test("a target that is long or escaped many times costs no more than others", () => {
  const started = performance.now();
  for (const target of [`/${"1".repeat(4000)}`, "a".repeat(4000), `/${"f".repeat(4000)}g`, `/%${"25".repeat(2000)}`]) {
    for (let time = 0; time < 100; time += 1) assert.ok(shownTarget(target).length <= 161);
  }
  // They took 30 to 80 ms each when all of them was looked at.
  assert.ok(performance.now() - started < 2000, `${performance.now() - started} ms for 400 targets`);
});
