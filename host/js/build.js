// `npm run build`: makes the component with cargo, unless IMDS_COMPONENT names
// one, and translates it with jco into `generated/`.
import { spawnSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const workspace = join(here, "..", "..");

function run(program, args, cwd) {
  const { status, error } = spawnSync(program, args, { cwd, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) {
    console.error(`error: ${program} ${args[0]} failed`);
    process.exit(1);
  }
}

function component() {
  if (process.env.IMDS_COMPONENT) return process.env.IMDS_COMPONENT;
  run("cargo", ["run", "--quiet", "--locked", "--package", "imds-component"], workspace);
  return join(workspace, "target", "imds-component", "imds.wasm");
}

const wasm = component();
const out = join(here, "generated");
rmSync(out, { recursive: true, force: true });
const jco = join(dirname(createRequire(import.meta.url).resolve("@bytecodealliance/jco")), "jco.js");
// Synchronous instantiation from compiled modules: a new instance after a trap
// then needs no file and no waiting.
run(process.execPath, [
  jco, "transpile", wasm, "--name", "imds", "--instantiation", "sync", "--no-typescript", "--out-dir", out,
], here);
// A package has its licence beside it, and npm follows no links.
copyFileSync(join(workspace, "LICENSE"), join(here, "LICENSE"));
