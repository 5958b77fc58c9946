// The entry for Node: modules come from files, and there are sockets.
import { readFileSync } from "node:fs";
import { imdsOf } from "./core.js";
import { listen } from "./serve.js";
export { ImdsError } from "./core.js";

const modules = new Map();
const compiled = (name) => {
  if (!modules.has(name)) {
    modules.set(name, new WebAssembly.Module(readFileSync(new URL(`./generated/${name}`, import.meta.url))));
  }
  return modules.get(name);
};

export class Imds extends imdsOf(compiled) {
  #servers = new Set();

  async serve(options) {
    const server = await listen(this, options);
    this.#servers.add(server);
    return server;
  }

  async close() {
    await Promise.all([...this.#servers].map((server) => server.close()));
    this.#servers.clear();
    await super.close();
  }
}
