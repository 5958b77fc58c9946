// Plays a case on a way in: what a way is, stands in `ways.js`.
import { createHash } from "node:crypto";
import { unescape } from "./case.js";

const BEGIN = Date.parse("2026-10-01T00:00:00Z");

/** How many requests of a case went out, and what of their answers is not as expected. */
export async function play(told, openWay) {
  const wrong = [];
  const kept = new Map();
  let exchanges = 0;
  let now = BEGIN;
  const clock = () => now;
  let way = await openWay(told.toml, clock);
  try {
    for (const step of told.steps) {
      if (step.is === "time") {
        now = step.at ?? now + step.by;
      } else if (step.is === "description") {
        await way.close();
        way = await openWay(step.toml, clock);
      } else {
        for (let time = 0; time < step.times; time += 1) {
          exchanges += 1;
          wrong.push(...(await ask(way, step, kept)).map((difference) => `${step.place}: ${difference}`));
        }
      }
    }
  } finally {
    await way.close();
  }
  return { exchanges, wrong };
}

/** Sends a request, keeps what is to be kept of the answer, and tells what of it is not as expected. */
async function ask(way, exchange, kept) {
  const received = partsOf(await way.answer(headOf(exchange, kept)));
  if (exchange.expected.isClosed) {
    return received.status === -1 ? [] : [`expected no answer, received ${received.status}`];
  }
  const wrong = differences(exchange.expected, received, kept);
  for (const { name, around } of exchange.keeps) {
    const part = partOf(received.body, around);
    if (part) kept.set(name, part);
    else wrong.push(`body: nothing in it to keep as ${name}`);
  }
  if (received.status === 200 && exchange.method === "PUT") kept.set("token", received.body);
  return wrong;
}

function headOf({ method, target, fields }, kept) {
  const filled = fields.map(([name, value]) => [name, fill(unescape(value), kept)]);
  if (!filled.some(([name]) => name.toLowerCase() === "host")) filled.unshift(["Host", Buffer.from("169.254.169.254")]);
  const lines = filled.flatMap(([name, value]) => [Buffer.from(`${name}: `), value, Buffer.from("\r\n")]);
  const line = [Buffer.from(`${method} `), fill(unescape(target), kept), Buffer.from(" HTTP/1.1\r\n")];
  return Buffer.concat([...line, ...lines, Buffer.from("\r\n")]);
}

/** Takes an answer apart without an HTTP library, so that nothing is hidden. */
function partsOf(answer) {
  if (answer.length === 0) return { status: -1, reason: "", fields: [], body: answer };
  const end = answer.indexOf("\r\n\r\n");
  if (end < 0) throw new Error(`a head ends with an empty line: ${answer.toString("latin1")}`);
  const [line, ...lines] = answer.toString("latin1", 0, end).split("\r\n");
  const [, status, reason] = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(line) ?? [];
  if (!status) throw new Error(`no status line: ${line}`);
  const fields = lines.map((field) => field.split(/: (.*)/));
  return { status: Number(status), reason, fields, body: answer.subarray(end + 4) };
}

function partOf(body, around) {
  if (around === undefined) return body;
  const [before, after] = around.split("*");
  const start = body.indexOf(before);
  const end = start < 0 ? -1 : body.indexOf(after, start + before.length);
  return end < 0 ? undefined : body.subarray(start + before.length, end);
}

function fill(text, kept) {
  const filled = [...kept].reduce((all, [name, value]) =>
    all.replaceAll(`{${name}}`, () => value.toString("latin1")), text.toString("latin1"));
  return Buffer.from(filled, "latin1");
}

/** Whether a value fits a pattern in which `*` stands for any text. */
function isLike(pattern, value) {
  const escaped = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`, "s").test(value);
}

function differences(expected, { status, reason, fields, body }, kept) {
  const wrong = [];
  const differ = (what, wanted, found) =>
    wrong.push(`${what}: expected ${wanted}, received ${JSON.stringify(String(found))}`);
  const names = fields.map(([name]) => name);
  const wanted = expected.fields.map(([name]) => name);
  const filled = (bytes) => fill(bytes, kept);
  if (expected.status !== status) differ("status", expected.status, status);
  if (expected.reason !== undefined && expected.reason !== reason) differ("reason", expected.reason, reason);
  if (expected.isWholeHead && wanted.join() !== names.join()) differ("header fields", wanted, names);
  for (const [name, value] of expected.fields) {
    const found = fields.find(([other]) => other === name)?.[1];
    if (found === undefined || !isLike(value, found)) differ(name, value, found);
  }
  for (const name of expected.absent) {
    if (names.some((other) => other.toLowerCase() === name.toLowerCase())) differ(name, "none", "one");
  }
  if (expected.body && !filled(expected.body).equals(body)) differ("body", filled(expected.body), body);
  const { pattern, length } = expected;
  if (pattern !== undefined && !isLike(pattern, body.toString())) differ("body", `one like ${pattern}`, body);
  for (const text of expected.contains) if (!body.includes(text)) differ("body", `one with ${text}`, body);
  for (const text of expected.lacks) {
    if (body.includes(filled(Buffer.from(text)))) differ("body", `one without ${text}`, body);
  }
  if (length !== undefined && length !== body.length) differ("length of the body", length, body.length);
  const digest = expected.digest && createHash("sha256").update(body).digest("hex");
  if (expected.digest !== digest) differ("SHA-256 of the body", expected.digest, digest);
  return wrong;
}
