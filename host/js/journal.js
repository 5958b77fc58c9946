import { requestLineOf } from "./request.js";
import { shownMethod, shownTarget } from "./shown.js";

/** So many requests are kept. */
const KEPT = 1000;

/** The last requests, without tokens and keys. */
export class Journal {
  #entries = [];

  add(head, { status, outcome, sessionVersion }, now) {
    const { method, target } = requestLineOf(head);
    const path = shownTarget(target, outcome === "found");
    const entry = { at: new Date(now), method: shownMethod(method), path, status, outcome, sessionVersion };
    this.#entries.push(Object.freeze(entry));
    // In one go now and then, since each move of so many costs.
    if (this.#entries.length >= 2 * KEPT) this.#entries = this.#entries.slice(-KEPT);
  }

  get entries() {
    return this.#entries.slice(-KEPT);
  }
}
