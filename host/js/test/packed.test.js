// The packed package in a fresh project, with the test that stands in the README.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(here, "README.md"), "utf8");

test("a fresh project installs the package and passes the test of its README", (t) => {
  const project = mkdtempSync(join(tmpdir(), "imds-packed-"));
  t.after(() => rmSync(project, { recursive: true }));
  const run = (program, args, cwd = project) => {
    // Beneath a test, node:test would tell of its tests in another form.
    const { NODE_TEST_CONTEXT, ...env } = process.env;
    return execFileSync(program, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  };
  // What is packed was built before this test.
  const told = JSON.parse(run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", project], here));
  const [{ filename, unpackedSize, size, files }] = Array.isArray(told) ? told : Object.values(told);
  const paths = files.map(({ path }) => path);
  for (const path of ["LICENSE", "README.md", "index.d.ts", "browser.d.ts", "generated/imds.core.wasm"]) {
    assert.ok(paths.includes(path), `${path} is not among ${paths}`);
  }
  assert.ok(!paths.some((path) => /^(test|page|build)/.test(path)), String(paths));

  run("npm", ["init", "-y"]);
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(project, filename)]);
  const [, code] = /```js\n(import assert[^]*?)```/.exec(readme);
  const [, name] = /in a file named `([^`]+)`/.exec(readme);
  writeFileSync(join(project, name), code);
  assert.match(run(process.execPath, ["--test", "--test-reporter", "tap"]), /^# pass 1$/m);
  assert.throws(() => statSync(join(here, filename)), { code: "ENOENT" });

  const [, unpacked, packed] = /Unpacked it takes ([\d.]+) MB[^]*?packed ([\d.]+) MB/.exec(readme);
  for (const [bytes, stated] of [[unpackedSize, unpacked], [size, packed]]) {
    assert.ok(Math.abs(bytes / 1e6 - stated) < 0.15, `the README states ${stated} MB, and it is ${bytes} bytes`);
  }
});

test("what the README shows works", async () => {
  const [, code] = /## Use\n\n```js\n([^]*?)```/.exec(readme);
  const file = join(here, "generated", "readme.mjs");
  writeFileSync(file, `${code}\nconsole.log("done");`);
  assert.equal(execFileSync(process.execPath, [file], { encoding: "utf8" }), "done\n");
});
