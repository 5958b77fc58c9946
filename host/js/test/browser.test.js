// The entry for browsers, from a server, as a page without a bundler loads it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import { chromium, start } from "./chromium.js";

const EMPTY = '<!doctype html><link rel="icon" href="data:,">';
const TYPES = { js: "text/javascript", wasm: "application/wasm", html: "text/html" };
const skip = chromium ? false : "SKIPPED: there is no Chromium on the path, and CHROMIUM names none";

test("a page imports the package from a server", { skip, timeout: 60_000 }, async (t) => {
  const server = createServer(({ url }, response) => {
    response.setHeader("Content-Type", TYPES[url.split(".").pop()] ?? TYPES.html);
    response.end(url === "/" ? EMPTY : readFileSync(new URL(`..${url}`, import.meta.url)));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const browser = await start();
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const told = await page.evaluate(async () => {
    const { Imds, ImdsError } = await import("/browser.js");
    const imds = new Imds({ "instance-type": "m7g.large" });
    const { status, text } = imds.answer({ path: "/latest/meta-data/instance-type" });
    let refused;
    try {
      imds.edit({ "instance-tipe": "" });
    } catch (error) {
      refused = error instanceof ImdsError;
    }
    return { status, text, refused, serves: "serve" in imds, asked: imds.requests.length };
  });
  assert.deepEqual(told, { status: 200, text: "m7g.large", refused: true, serves: false, asked: 1 });
});
