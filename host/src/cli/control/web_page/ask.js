// The listener as this page asks it, and elements. Every text is set as text: what
// instances say is markup nowhere.
"use strict";

const token = document.querySelector("meta[name=imds-page-token]").content;
const $ = (id) => document.getElementById(id);
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** An element with its properties and what is in it. */
function element(name, properties, ...within) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === undefined) continue;
    if (key.startsWith("aria-")) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...within.filter((part) => part !== undefined));
  return made;
}

/** Says something at the top, for screen readers too. */
function say(text, kind = "") {
  $("said").textContent = text;
  $("said").className = kind;
}

/** What the listener refused, with its problems. */
class Refused extends Error {
  constructor(status, told) {
    super(told.error ?? `the answer is ${status}`);
    Object.assign(this, { status, problems: told.problems ?? [] });
  }
}

async function ask(path, { method = "GET", body, signal, revision, isNew } = {}) {
  const headers = { "X-Imds-Page-Token": token, Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (revision !== undefined) headers["If-Match"] = `"${revision}"`;
  if (isNew) headers["If-None-Match"] = "*";
  for (let attempt = 0; ; attempt += 1) {
    const answer = await fetch(path, { method, headers, body, signal, cache: "no-store" });
    // Others look at instances too, and nothing was done.
    if (answer.status === 503 && attempt < 3) {
      await sleep(1000 * (Number(answer.headers.get("Retry-After")) || 1));
      continue;
    }
    const told = await answer.json();
    if (!answer.ok) throw new Refused(answer.status, told);
    return told;
  }
}

/** What went wrong, in words; nothing where the page itself gave up waiting. */
function complain(error) {
  if (error.name === "AbortError") return;
  say(error instanceof TypeError ? "The server does not answer; is imds still running?" : error.message, "bad");
}

/** A span of seconds in a few letters. */
function span(seconds) {
  const whole = Math.round(Math.abs(seconds));
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["m", 60]]) {
    if (whole >= length) {
      const [next, shorter] = { d: ["h", 3600], h: ["m", 60], m: ["s", 1] }[unit];
      const rest = Math.floor((whole % length) / shorter);
      return `${Math.floor(whole / length)}${unit}${rest ? ` ${rest}${next}` : ""}`;
    }
  }
  return `${whole}s`;
}
