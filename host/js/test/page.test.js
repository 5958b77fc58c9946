// The page in a browser, from disk, used as a visitor uses it: by the keyboard.
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { after, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium, start } from "./chromium.js";

const page_file = new URL("../page/dist/imds.html", import.meta.url);
const screenshot = fileURLToPath(new URL("../page/screenshot.png", import.meta.url));
const skip = chromium ? false : "SKIPPED: there is no Chromium on the path, and CHROMIUM names none";
if (skip) console.log(`${skip}: the page is not tested`);

test("the page is one file that refers to no other", () => {
  const html = readFileSync(page_file, "utf8");
  assert.doesNotMatch(html, /<(script|link|img)[^>]*\s(src|href)=/);
  assert.match(html, /default-src 'none'/);
  assert.ok(statSync(screenshot).size < 150_000);
});

describe("the page", { skip, timeout: 120_000 }, () => {
  let browser;
  let page;
  let troubles;
  before(async () => { browser = await start(); });
  after(() => browser?.close());
  beforeEach(async () => {
    await page?.close();
    page = await browser.newPage();
    troubles = [];
    page.on("pageerror", (error) => troubles.push(error.message));
    page.on("console", (message) => troubles.push(message.text()));
    page.on("request", (request) => request.url() === page_file.href || troubles.push(request.url()));
    await page.setViewport({ width: 1200, height: 900 });
    await page.goto(page_file.href);
    await page.waitForSelector("html[data-ready]");
  });

  const text = (id) => page.$eval(`#${id}`, (element) => element.textContent);
  const value = (id) => page.$eval(`#${id}`, (element) => element.value);
  /** Writes into a field what takes the place of all that is there. */
  async function type(id, written) {
    await page.focus(`#${id}`);
    await page.keyboard.down("Control");
    await page.keyboard.press("a");
    await page.keyboard.up("Control");
    await page.keyboard.type(written);
  }
  async function ask(path) {
    await type("path", path);
    await page.keyboard.press("Enter");
    return text("outcome");
  }
  /** Presses a button, or ticks a box, by the keyboard. */
  async function press(id) {
    await page.focus(`#${id}`);
    await page.keyboard.press("Space");
  }
  const offered = () => page.$$eval("#suggestions:not([hidden]) li",
    (items) => items.map((item) => item.firstChild.textContent));
  /** Writes until something is offered, and takes the offer of that name. */
  async function choose(written, name) {
    await page.keyboard.type(written);
    const names = await offered();
    assert.ok(names.includes(name), `${name} is not among ${names}`);
    for (let down = names.indexOf(name); down > 0; down -= 1) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
  }

  test("a request that is typed is answered with head and body", async () => {
    assert.equal(await page.evaluate(() => document.activeElement.id), "path");
    assert.match(await ask("/latest/meta-data/instance-type"), /^200 OK/);
    assert.match(await text("head"), /^HTTP\/1\.1 200 OK\r?\n[^]*Server: EC2ws/);
    assert.equal(await text("body"), "m7g.large");
    assert.match(await ask("/latest/meta-data/nothing"), /^404 Not Found/);
    assert.match(await text("body"), /404 - Not Found/);
    await type("path", "/latest/meta-data/pla");
    const paths = await page.$$eval("#paths option", (options) => options.map((option) => option.value));
    assert.ok(paths.includes("/latest/meta-data/placement/"));
    assert.deepEqual(troubles, []);
  });

  test("versions are switched, and an old one has less", async () => {
    await ask("/latest/meta-data/");
    assert.match(await text("body"), /^tags\/$/m);
    await page.focus("#version");
    await page.select("#version", "2009-04-04");
    assert.equal(await value("path"), "/2009-04-04/meta-data/");
    assert.match(await text("body"), /^instance-id$/m);
    assert.doesNotMatch(await text("body"), /^tags\/$/m);
    assert.deepEqual(troubles, []);
  });

  test("tokens are required, asked for and used", async () => {
    await press("required");
    assert.equal(JSON.parse(await value("description"))["metadata-options"]["http-tokens"], "required");
    assert.match(await ask("/latest/meta-data/instance-id"), /^401 Unauthorized: no token, and http-tokens is "required"/);
    await press("token");
    assert.match(await value("fields"), /^X-aws-ec2-metadata-token: .{56}$/);
    assert.match(await ask("/latest/meta-data/instance-id"), /^200 OK/);
    assert.match(await page.$eval("#asked tr", (row) => row.textContent), /IMDSv2found$/);
    assert.ok(!(await text("asked")).includes((await value("fields")).slice(-20)));
    // The token outlives a change, and not its lifetime.
    await type("description", '{"instance-type": "c7g.large"}');
    assert.match(await ask("/latest/meta-data/instance-type"), /^200 OK/);
    await type("by", "6h1m");
    await page.keyboard.press("Enter");
    assert.match(await ask("/latest/meta-data/instance-type"), /^401 Unauthorized/);
    assert.deepEqual(troubles, []);
  });

  test("a description is written with completion from the schema", async () => {
    await type("description", "{");
    await choose("inst", "instance-type");
    await page.keyboard.type('"c7g.xlarge", ');
    await choose('"meta', "metadata-options");
    assert.deepEqual(await offered(), ["{}"]);
    await page.keyboard.type("{");
    assert.equal(await value("description"), '{"instance-type": "c7g.xlarge", "metadata-options": {');
    await choose("tok", "http-tokens");
    await choose("re", "required");
    await page.keyboard.type("}}");
    assert.deepEqual(JSON.parse(await value("description")),
      { "instance-type": "c7g.xlarge", "metadata-options": { "http-tokens": "required" } });
    assert.ok(await page.$eval("#required", (box) => box.checked), "the box follows the description");
    assert.equal(await text("problems"), "");
    await press("required");
    await ask("/latest/meta-data/instance-type");
    assert.equal(await text("body"), "c7g.xlarge");
    assert.deepEqual(troubles, []);
  });

  test("completion goes by the keyboard, and out of the way", async () => {
    await type("description", "{");
    assert.ok((await offered()).length > 40);
    await page.keyboard.press("ArrowUp");
    const active = await page.$eval("#description",
      (area) => document.getElementById(area.getAttribute("aria-activedescendant"))?.textContent);
    assert.ok(active.length > 0);
    await page.keyboard.press("Escape");
    assert.deepEqual(await offered(), []);
    await page.keyboard.down("Control");
    await page.keyboard.press("Space");
    await page.keyboard.up("Control");
    assert.ok((await offered()).includes("tags"));
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    assert.notEqual(await page.evaluate(() => document.activeElement.id), "description");
    assert.deepEqual(troubles, []);
  });

  test("what is wrong is shown, and the instance stays", async () => {
    await type("description", '{"instnace-type": "t3.micro"}');
    assert.match(await text("problems"), /instnace-type.*did you mean `instance-type`\?/);
    await ask("/latest/meta-data/instance-type");
    assert.equal(await text("body"), "m7g.large");
    assert.match(await text("not-in-force"), /wrong and not in force/);
    assert.match(await text("problems"), /instnace-type/, "a request leaves the description's problems");
    await type("fields", "what");
    await ask("/latest/");
    assert.match(await text("request-problems"), /a header field is a name, a colon and a value: what/);
    assert.match(await text("problems"), /instnace-type/);
    assert.deepEqual(troubles, []);
  });

  test("a text that is wrong is not replaced by a button", async () => {
    const written = '{"instance-type": "c7g.large", "tags" }';
    await type("description", written);
    assert.match(await text("problems"), /^line 1, column 39: expected `:`/);
    for (const button of ["required", "stop", "interrupt"]) {
      await press(button);
      assert.match(await text("change-problems"), /not in force. Correct it first, or press Reset/, button);
      assert.equal(await value("description"), written);
    }
    assert.equal(await page.$eval("#required", (box) => box.checked), false, "the box tells what is");
    await ask("/latest/meta-data/instance-type");
    assert.match(await text("not-in-force"), /answered by the one before/);
    await type("description", '{"instance-type": "c7g.large"}');
    assert.deepEqual([await text("problems"), await text("change-problems"), await text("not-in-force")], ["", "", ""]);
    assert.match(await ask("/latest/meta-data/instance-type"), /^200 OK/);
    assert.equal(await text("not-in-force"), "");
    assert.deepEqual(troubles, []);
  });

  test("faults are told with the answer, and warnings below the description", async () => {
    const told = async (fault) => {
      await type("description", JSON.stringify({ faults: [fault] }));
      return ask("/latest/meta-data/instance-type");
    };
    assert.match(await told({ kind: "delay", delay: "5s" }), /^200 OK: .*A fault of the description: .* after 5 s\.$/);
    assert.match(await told({ kind: "cut" }), /^200 OK: .*the body is cut/);
    assert.match(await told({ kind: "close" }), /^No answer: A fault of .* closed without an answer\.$/);
    assert.equal(await page.$eval("#outcome", (outcome) => outcome.className), "refused");
    assert.match(await told({ kind: "withhold" }), /^No answer: A fault of .* nothing is sent until/);
    assert.match(await page.$eval("#asked tr", (row) => row.textContent), /found, withheld$/);
    await type("description", '{"instance-type": "t3.mikro"}');
    assert.match(await text("warnings"), /^warning: .*did you mean `t3.micro`\? \[unknown-instance-type\]$/);
    await type("description", "{}");
    assert.equal(await text("warnings"), "");
    assert.deepEqual(troubles, []);
  });

  test("an instance that is gone can be asked about, and comes back", async () => {
    const before = await value("description");
    const options = (id) => page.$$eval(`#${id} option`, (all) => all.length);
    const [versions, paths] = [await options("version"), await options("paths")];
    await press("stop");
    assert.match(await ask("/latest/meta-data/"), /^No answer/);
    assert.equal(await options("version"), versions);
    await press("start");
    assert.deepEqual([await text("outcome"), await text("head")], ["", ""], "the instance runs again");
    await press("interrupt");
    await type("by", "3m");
    await page.keyboard.press("Enter");
    assert.match(await text("status"), /is terminated/);
    assert.equal(await options("version"), versions);
    await type("path", "/latest/meta-data/");
    assert.ok(await options("paths") >= paths);
    await press("start");
    assert.match(await text("change-problems"), /the instance is terminated.*reset/);
    await press("reset");
    assert.equal(await value("description"), before);
    assert.equal(await text("change-problems"), "");
    assert.match(await ask("/latest/meta-data/"), /^200 OK/);
    assert.deepEqual(troubles, []);
  });

  test("a time that no clock shows is refused, and the clock goes on", async () => {
    const before = await text("now");
    await type("by", "100000000d");
    await page.keyboard.press("Enter");
    assert.match(await text("clock-problems"), /the clock cannot show that time/);
    assert.ok(Date.parse(await text("now")) - Date.parse(before) < 60_000);
    await type("by", "99000000d");
    await page.keyboard.press("Enter");
    assert.equal(await text("clock-problems"), "");
    assert.match(await text("now"), /^\+27/);
    assert.match(await ask("/latest/meta-data/instance-type"), /^200 OK/);
    assert.deepEqual(troubles, []);
  });

  test("the clock moves, and what was to come comes", async () => {
    await press("interrupt");
    assert.match(await ask("/latest/meta-data/spot/instance-action"), /^200 OK/);
    assert.equal(JSON.parse(await text("body")).action, "terminate");
    assert.match(await text("happenings"), /terminate/);
    const before = Date.parse(await text("now"));
    await type("by", "2m");
    await page.keyboard.press("Enter");
    assert.ok(Date.parse(await text("now")) - before >= 119_000);
    assert.match(await text("status"), /is terminated/);
    assert.match(await ask("/latest/meta-data/"), /^No answer/);
    assert.equal(await text("head"), "");
    await type("by", "a while");
    await page.keyboard.press("Enter");
    assert.match(await text("clock-problems"), /no duration: a while/);
    assert.deepEqual(troubles, []);
  });

  test("it fits a phone and the dark", async () => {
    const ground = () => page.$eval("body", (body) => getComputedStyle(body).backgroundColor);
    const light = await ground();
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
    assert.notEqual(await ground(), light);
    await page.setViewport({ width: 360, height: 740 });
    await press("required");
    await ask("/latest/meta-data/network/interfaces/macs/");
    const { scrollWidth, clientWidth } = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return { scrollWidth, clientWidth };
    });
    assert.equal(scrollWidth, clientWidth);
    assert.deepEqual(troubles, []);
  });

  test("every control has a name", async () => {
    const nameless = await page.$$eval("input, select, textarea, button", (controls) =>
      controls.filter((control) => !control.labels?.length && !control.textContent.trim()).map(({ id }) => id));
    assert.deepEqual(nameless, []);
  });

  // Written by those who change the page, who look at it.
  if (process.env.BLESS) test("the screenshot of the README is taken", async () => {
    await page.setViewport({ width: 1100, height: 780 });
    await press("required");
    await press("token");
    await ask("/latest/meta-data/");
    await press("interrupt");
    await page.focus("#description");
    await page.evaluate(() => document.getElementById("description").setSelectionRange(1, 1));
    await page.keyboard.type('\n  placement-');
    for (let typed = "placement-".length; typed > 3; typed -= 1) await page.keyboard.press("Backspace");
    await page.$eval("#description", (area) => { area.scrollTop = 0; });
    await page.screenshot({ path: screenshot });
    assert.deepEqual(troubles, []);
  });
});
