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
  /** None once it is closed. */
  #servers = new Set();

  async serve(options) {
    if (!this.#servers) throw new Error("this Imds is closed");
    const server = await listen(this, options);
    if (!this.#servers) {
      await server.close();
      throw new Error("this Imds is closed");
    }
    this.#servers.add(server);
    return server;
  }

  async close() {
    const servers = [...this.#servers ?? []];
    this.#servers = undefined;
    await Promise.all(servers.map((server) => server.close()));
    await super.close();
  }
}
