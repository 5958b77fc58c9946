// The hand-written types, by the compiler, and a program in TypeScript at work.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Imds, ImdsError } from "imds-component";

const here = dirname(fileURLToPath(import.meta.url));
const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
const LIB = "es2022,esnext.disposable,dom,dom.iterable";
const TSC = [join(dirname(typescript), "bin", "tsc"), "--strict", "--target", "es2022"];
const tsc = (...args) => {
  try {
    return execFileSync(process.execPath, [...TSC, ...args], { cwd: here, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    throw new Error(error.stdout);
  }
};
const compiled = (...args) => tsc("--module", "nodenext", "--types", "node", "--lib", LIB, ...args);

test("a program in TypeScript compiles and runs, await using included", () => {
  // Beside the package, so that it finds the package by its name.
  const out = join(here, "..", "generated", "sample");
  compiled("--rootDir", "types", "--outDir", out, "types/sample.ts");
  const printed = execFileSync(process.execPath, [join(out, "sample.js")], { encoding: "utf8" });
  assert.equal(printed, "did you mean `instance-type`?\n200 m7g.large found 2026-10-01T00:01:30.000Z 200 2 running\n");
});

test("what is wrong does not compile", () => {
  compiled("--noEmit", "types/wrong.ts");
});

test("a bundler's resolution, as Vite and Vitest have it, finds sockets too, and a page none", () => {
  const bundled = (...args) => tsc("--noEmit", "--module", "esnext", "--moduleResolution", "bundler", ...args);
  bundled("types/plain.ts");
  bundled("types/sample.ts");
  bundled("--customConditions", "browser", "types/browser.ts");
});

test("the types need neither those of Node or of a page, nor a newer library", () => {
  const plain = (...args) => tsc("--noEmit", "--module", "nodenext", ...args);
  plain("--types", "", "types/plain.ts");
  plain("--types", "", "--lib", "es2022", "types/plain.ts");
  plain("--types", "node", "--lib", "es2022", "types/plain.ts");
});

test("a page has the same, without sockets", () => {
  compiled("--noEmit", "--customConditions", "browser", "types/browser.ts");
});

test("the types name all that there is", () => {
  const names = (prototype) => Object.getOwnPropertyNames(prototype).filter((name) => name !== "constructor");
  assert.deepEqual(new Set([...names(Imds.prototype), ...names(Object.getPrototypeOf(Imds.prototype))]), new Set([
    "answer", "serve", "edit", "advance", "explain", "requests", "now", "description", "status", "warnings", "schema", "close",
  ]));
  assert.ok(ImdsError.prototype instanceof Error);
});
