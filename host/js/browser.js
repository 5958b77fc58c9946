// The entry for browsers: the modules come over `fetch`.
import { imdsOf } from "./core.js";
export { ImdsError } from "./core.js";

const names = ["imds.core.wasm", "imds.core2.wasm", "imds.core3.wasm"];
const compiled = await Promise.all(names.map(async (name) => {
  const response = await fetch(new URL(`./generated/${name}`, import.meta.url));
  return [name, await WebAssembly.compile(await response.arrayBuffer())];
}));
const modules = new Map(compiled);

export const Imds = imdsOf((name) => modules.get(name));
