// A connection: a head in, an answer out, as the component says how. The bounds
// and their reasons are those of the program: `ConnectionLimits` in `host`.
import { lengthOfHead } from "./head.js";
import { Rest } from "./request_body.js";

const HEAD_MS = 10_000;
const BODY_BYTES = 64 * 1024;
const BODY_MS = 1000;
const WRITE_MS = 10_000;
/** Above the time after which clients give up that ever do. */
const WITHHELD_MS = 330_000;

// What a trap costs: this one request.
const FAILED = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nServer: EC2ws\r\nConnection: close\r\n\r\n";

export class Connection {
  #imds;
  #socket;
  #keepAlive;
  /** What came and is not used yet. */
  #input = Buffer.alloc(0);
  #hasEnded = false;
  #wake = () => {};

  constructor(imds, socket, keepAlive) {
    this.#imds = imds;
    this.#socket = socket;
    this.#keepAlive = keepAlive;
    socket.on("data", (bytes) => {
      // The next piece has to wait until this one is used.
      socket.pause();
      this.#input = Buffer.concat([this.#input, bytes]);
      this.#wake();
    });
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#hasEnded = true;
        this.#wake();
      });
    }
    // `close` follows, and nobody is left to hear of it.
    socket.on("error", () => {});
  }

  async run() {
    try {
      while (await this.#turn());
    } catch (error) {
      // A clock or a signer of the user's may throw anything.
      process.emitWarning(error instanceof Error ? error : new Error(`thrown: ${String(error)}`));
      await this.#write(FAILED);
      await this.#end();
    }
  }

  /** One request and its answer. False where the connection is over. */
  async #turn() {
    const head = await this.#head();
    if (!head) return this.#destroy();
    const overIpv6 = this.#socket.remoteFamily === "IPv6" && !this.#socket.remoteAddress.startsWith("::ffff:");
    const answer = this.#imds.answer(head, { keepAlive: this.#keepAlive, overIpv6 });
    const isWhole = await this.#discard(answer.requestBody);
    switch (answer.delivery?.kind) {
      case "closed":
        return this.#end();
      case "withheld":
        await this.#withhold();
        return this.#destroy();
      case "delayed":
        if (!(await this.#hold(answer.delivery.ms))) return this.#destroy();
    }
    if (!(await this.#write(Buffer.concat([answer.head, answer.body])))) return this.#destroy();
    // What is left of a body must not be taken for the next request.
    return answer.keepAlive && isWhole ? true : this.#end();
  }

  /** The head of the next request, or as much of one as the bounds allow; none where no other comes. */
  async #head() {
    const until = performance.now() + HEAD_MS;
    let length;
    while ((length = lengthOfHead(this.#input)) === undefined) {
      if (!(await this.#more(until))) return undefined;
    }
    return this.#take(length);
  }

  /** Throws away a request's body. False where it is not read to its end. */
  async #discard({ kind, bytes }) {
    const rest = Rest.of(kind, bytes);
    const until = performance.now() + BODY_MS;
    let discarded = 0;
    while (rest) {
      const { length, is } = rest.take(this.#input);
      this.#take(length);
      discarded += length;
      if (is === "whole") return true;
      if (is === "wrong" || discarded > BODY_BYTES || this.#input.length > BODY_BYTES) return false;
      if (!(await this.#more(until))) return false;
    }
    return false;
  }

  /** A copy of the first bytes, which are used now. */
  #take(length) {
    const taken = new Uint8Array(this.#input.subarray(0, length));
    this.#input = this.#input.subarray(length);
    return taken;
  }

  /** Waits for more input. False where none comes in time, or ever. */
  async #more(until) {
    const before = this.#input.length;
    await this.#wait(until - performance.now(), () => this.#hasEnded || this.#input.length > before);
    return this.#input.length > before;
  }

  /** Waits before the answer is sent. False where the client is gone meanwhile. */
  async #hold(ms) {
    await this.#wait(ms, () => this.#socket.destroyed);
    return !this.#socket.destroyed;
  }

  /** Sends nothing until the client gives up. */
  async #withhold() {
    await this.#wait(WITHHELD_MS, () => this.#hasEnded);
  }

  /** Waits until something is so, but no longer. */
  async #wait(ms, isSo) {
    if (isSo() || ms <= 0) return;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        if (!isSo()) return;
        clearTimeout(timer);
        resolve();
      };
      this.#socket.resume();
    });
    this.#wake = () => {};
  }

  /** Writes bytes. False where the client does not take them in time. */
  async #write(bytes) {
    const timer = setTimeout(() => this.#socket.destroy(), WRITE_MS);
    const error = await new Promise((resolve) => this.#socket.write(bytes, resolve));
    clearTimeout(timer);
    return !error;
  }

  /** Closes behind what was sent: to close with input unread would reset the connection under the answer. */
  async #end() {
    this.#socket.end();
    this.#socket.removeAllListeners("data");
    this.#socket.on("data", () => {});
    await this.#wait(BODY_MS, () => this.#hasEnded);
    return this.#destroy();
  }

  #destroy() {
    this.#socket.destroy();
    return false;
  }
}
