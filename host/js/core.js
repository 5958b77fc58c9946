// The shell around the component that Node and browsers share. It carries
// heads, times and answers; the component decides everything about IMDS.
import { Answer } from "./answer.js";
import { isClock, timeBy } from "./clock.js";
import { helped, inJson } from "./description.js";
import { asyncDispose, dispose } from "./dispose.js";
import { milliseconds } from "./duration.js";
import { instantiate } from "./generated/imds.js";
import { Journal } from "./journal.js";
import { checked, checkedSignatures, flag, isBytes, isText, tagOf } from "./options.js";
import { headOf } from "./request.js";

/** What is wrong with a description or a change: all problems at once. */
export class ImdsError extends Error {
  constructor(problems) {
    super(problems.map(({ field, position, message, help }) => {
      const at = position && `line ${position.line}, column ${position.column}`;
      return [field, at, message].filter(Boolean).join(": ") + (help ? ` (${help})` : "");
    }).join("; "));
    this.name = "ImdsError";
    this.problems = problems;
  }
}

// Wrong descriptions are errors of the caller; all else is a trap.
const isProblem = (error) => Array.isArray(error?.payload);

const OPTIONS = {
  clock: [isClock, "a Date from 1970 on, milliseconds since then, or a function that gives one of these"],
  tokenSecret: [isBytes, "bytes, a Uint8Array: new TextEncoder().encode(text) makes them of a text"],
  allowedHosts: [(value) => Array.isArray(value) && value.every(isText), "an array of names"],
  sign: [
    (value) => typeof value === "function" && tagOf(value) !== "AsyncFunction",
    "a function that gives the signatures at once, not by a promise",
  ],
};
const ANSWER_OPTIONS = { keepAlive: flag, overIpv6: flag };

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
    /** The component at work, and the description opened in it; a trap takes both. */
    #metadata = start();
    #instance;
    #description;
    #settings;
    #clock;
    #ahead = 0;
    #sign;
    /** The last identity document that was signed, with its signatures. */
    #signed;
    #throttle = 0n;
    #answered = 0n;
    #entropy = crypto.getRandomValues(new BigUint64Array(1))[0];
    #journal = new Journal();
    #isClosed = false;

    constructor(description = {}, options) {
      const { clock = Date.now, tokenSecret, allowedHosts = [], sign } = checked("new Imds", options, OPTIONS);
      this.#clock = clock;
      this.#sign = sign;
      this.#settings = {
        tokenSecret: tokenSecret ?? crypto.getRandomValues(new Uint8Array(32)),
        allowedHosts,
        signsIdentity: sign !== undefined,
        scope: undefined,
      };
      this.#open(inJson(description));
    }

    /** Calls the component, maybe about a text. A trap costs the instance of it, and no other call. */
    #call(call, text = "") {
      if (this.#isClosed) throw new Error("this Imds is closed");
      try {
        return call(this.#metadata);
      } catch (error) {
        if (isProblem(error)) throw new ImdsError(error.payload.map((problem) => helped(problem, text)));
        this.#metadata = start();
        this.#instance = undefined;
        throw error;
      }
    }

    #open(description) {
      const instance = this.#call(({ Instance }) => Instance.open(description, this.#settings), description);
      // To wait for the garbage collector would take memory for each edit.
      this.#instance?.[dispose]();
      this.#instance = instance;
      this.#description = description;
    }

    get #nowMs() {
      return BigInt(timeBy(this.#clock, this.#ahead));
    }

    get now() {
      return new Date(Number(this.#nowMs));
    }

    get description() {
      return JSON.parse(this.#description);
    }

    get schema() {
      return JSON.parse(this.#call((metadata) => metadata.schema()));
    }

    get status() {
      const status = this.#call((metadata) => metadata.status(this.#description, this.#nowMs, undefined));
      return {
        ...status,
        identityDocument: status.identityDocument.text,
        happenings: status.happenings.map(({ atMs, what }) => ({ at: new Date(Number(atMs)), what })),
        description: JSON.parse(status.description),
      };
    }

    get warnings() {
      const warnings = this.#call((metadata) => metadata.warnings(this.#description, this.#nowMs, undefined));
      return warnings.map(({ name, problem: { field, message, help } }) => ({ name, field, message, help }));
    }

    get requests() {
      return this.#journal.entries;
    }

    answer(request, options) {
      const { keepAlive = false, overIpv6 = false } = checked("answer", options, ANSWER_OPTIONS);
      const head = headOf(request);
      if (!this.#instance) this.#open(this.#description);
      const moment = {
        nowMs: this.#nowMs,
        // It need not be secret, only another one each time.
        entropy: BigInt.asUintN(64, this.#entropy + this.#answered),
        throttleState: this.#throttle,
        requestNumber: this.#answered,
        overIpv6,
        keepAlive,
      };
      let answer = this.#call(() => this.#instance.answer(head, moment, undefined));
      if (answer.toSign && this.#sign) {
        const signatures = this.#signatures(answer.toSign);
        answer = this.#call(() => this.#instance.answer(head, moment, signatures));
      }
      this.#throttle = answer.throttleState;
      this.#answered += 1n;
      this.#journal.add(head, answer, Number(moment.nowMs));
      return new Answer(answer);
    }

    #signatures({ text, signingTimeMs }) {
      if (this.#signed?.text !== text) {
        const signatures = this.#sign({ text, signingTime: new Date(Number(signingTimeMs)) });
        this.#signed = { text, signatures: checkedSignatures(signatures) };
      }
      return this.#signed.signatures;
    }

    explain(outcome) {
      return this.#call((metadata) => metadata.explain(outcome));
    }

    edit(change) {
      const text = inJson(change, "a change");
      this.#open(this.#call(({ edit }) => edit(this.#description, text, this.#nowMs, undefined), text));
    }

    advance(duration) {
      const ahead = this.#ahead + milliseconds(duration);
      // Throws before it would move where no time is.
      timeBy(this.#clock, ahead);
      this.#ahead = ahead;
    }

    async close() {
      this.#isClosed = true;
      this.#metadata = this.#instance = undefined;
    }

    [asyncDispose]() {
      return this.close();
    }
  };
}
