// The shell around the component that Node and browsers share. It carries
// heads, times and answers; the component decides everything about IMDS.
import { instantiate } from "./generated/imds.js";
import { headOf, partsOf } from "./head.js";
import { milliseconds } from "./duration.js";

/** What is wrong with a description or a change: all problems at once. */
export class ImdsError extends Error {
  constructor(problems) {
    super(problems.map(({ field, message, help }) =>
      `${field ? `${field}: ` : ""}${message}${help ? ` (${help})` : ""}`).join("; "));
    this.name = "ImdsError";
    this.problems = problems;
  }
}

// Wrong descriptions are errors of the caller; all else is a trap.
const isProblem = (error) => Array.isArray(error?.payload);

/** Makes the class `Imds` from compiled modules, which `module(name)` gives. */
export function imdsOf(module) {
  // Without this function, engines that cannot suspend take the slow way of
  // jco's glue for each instance. Nothing here suspends.
  const start = () => {
    const lacks = !("promising" in WebAssembly);
    if (lacks) WebAssembly.promising = (call) => call;
    try {
      return instantiate(module, {}).metadata;
    } finally {
      if (lacks) delete WebAssembly.promising;
    }
  };

  return class Imds {
    #metadata = start();
    #instance;
    #description;
    #settings;
    #clock;
    #sign;
    #ahead = 0;
    #throttle = 0n;
    #count = 0n;
    #journal = [];

    constructor(description = {}, { clock = Date.now, tokenSecret, allowedHosts = [], sign } = {}) {
      this.#clock = clock;
      this.#sign = sign;
      this.#settings = {
        tokenSecret: tokenSecret ?? crypto.getRandomValues(new Uint8Array(32)),
        allowedHosts,
        signsIdentity: sign !== undefined,
        scope: undefined,
      };
      this.#open(typeof description === "string" ? description : JSON.stringify(description));
    }

    /** Calls the component. A trap costs the instance of it, and no other call. */
    #call(call) {
      try {
        return call(this.#metadata);
      } catch (error) {
        if (isProblem(error)) {
          throw new ImdsError(error.payload.map(({ position, ...problem }) => ({ ...problem, position })));
        }
        this.#metadata = start();
        this.#instance = undefined;
        throw error;
      }
    }

    #open(description) {
      this.#instance = this.#call(({ Instance }) => Instance.open(description, this.#settings));
      this.#description = description;
    }

    get now() {
      return Number(this.#clock()) + this.#ahead;
    }

    get description() {
      return JSON.parse(this.#description);
    }

    get requests() {
      return [...this.#journal];
    }

    get schema() {
      return JSON.parse(this.#call((metadata) => metadata.schema()));
    }

    answer(request, { keepAlive = false, overIpv6 = false } = {}) {
      const head = headOf(request);
      const now = this.now;
      if (!this.#instance) this.#open(this.#description);
      const moment = {
        nowMs: BigInt(Math.trunc(now)),
        entropy: crypto.getRandomValues(new BigUint64Array(1))[0],
        throttleState: this.#throttle,
        requestNumber: this.#count,
        overIpv6,
        keepAlive,
      };
      let answer = this.#call(() => this.#instance.answer(head, moment, undefined));
      if (answer.toSign && this.#sign) {
        const { text, signingTimeMs } = answer.toSign;
        const signatures = this.#sign({ text, signingTimeMs: Number(signingTimeMs) });
        answer = this.#call(() => this.#instance.answer(head, moment, signatures));
      }
      this.#throttle = answer.throttleState;
      this.#count += 1n;
      const { delivery, requestBody } = answer;
      const result = {
        ...partsOf(answer.head),
        status: answer.status,
        body: answer.body,
        head: answer.head,
        outcome: answer.outcome,
        sessionVersion: answer.sessionVersion,
        keepAlive: answer.keepAlive,
        hopLimit: answer.hopLimit,
        delivery: delivery && { kind: delivery.tag, ms: delivery.val },
        requestBody: {
          kind: requestBody.tag,
          bytes: requestBody.val === undefined ? undefined : Number(requestBody.val),
        },
      };
      const { outcome, status, sessionVersion } = result;
      const [method = "", target = ""] = new TextDecoder().decode(head).trimStart().split(/\r?\n/, 1)[0].split(" ");
      this.#journal.push({ at: new Date(now), method, path: target, status, outcome, sessionVersion });
      if (this.#journal.length > 1000) this.#journal.shift();
      return result;
    }

    explain(outcome) {
      return this.#call((metadata) => metadata.explain(outcome));
    }

    edit(change) {
      const text = typeof change === "string" ? change : JSON.stringify(change);
      const now = BigInt(Math.trunc(this.now));
      this.#open(this.#call(({ edit }) => edit(this.#description, text, now, undefined)));
    }

    advance(duration) {
      this.#ahead += milliseconds(duration);
    }

    async [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]() {
      this.#instance = undefined;
    }
  };
}
