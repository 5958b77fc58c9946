// `npm run page`: everything that the page is, in one file that needs no other.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

const here = new URL("./", import.meta.url);
const generated = new URL("../generated/", here);
const read = (name) => readFileSync(new URL(name, here), "utf8");

const bundle = await rolldown({
  input: fileURLToPath(new URL("main.js", here)),
  // "use components" is a mark of jco's, which a bundle need not have.
  onLog: (level, log, handle) => log.code === "MODULE_LEVEL_DIRECTIVE" || handle(level, log),
});
const { output: [{ code }] } = await bundle.generate({ format: "esm", minify: true });
// Nothing in it may end the element around it.
const script = code.replaceAll("</script", "<\\/script");
const style = read("style.css");

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
// The page runs what stands in it, and reaches nothing.
const policy = [
  "default-src 'none'", `script-src ${hash(script)} 'wasm-unsafe-eval'`, `style-src ${hash(style)}`, "base-uri 'none'",
  "form-action 'none'",
].join("; ");
const modules = readdirSync(generated).filter((name) => name.endsWith(".wasm")).map((name) => {
  const packed = gzipSync(readFileSync(new URL(name, generated)), { level: 9 }).toString("base64");
  return `<script type="text/plain" data-module="${name}">${packed}</script>`;
});

const parts = {
  policy: `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
  style: `<style>${style}</style>`,
  modules: modules.join("\n"),
  script: `<script type="module">${script}</script>`,
};
const page = read("index.html").replace(/<!-- (\w+) -->/g, (_, name) => parts[name]);
mkdirSync(new URL("dist/", here), { recursive: true });
writeFileSync(new URL("dist/imds.html", here), page);
console.log(`page/dist/imds.html: ${(page.length / 1e6).toFixed(2)} MB`);
