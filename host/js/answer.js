/** The answer to one request. What the component counts in 64 bits are numbers here. */
export class Answer {
  constructor({ head, body, status, outcome, sessionVersion, hopLimit, delivery, requestBody, keepAlive }) {
    this.head = head;
    this.body = body;
    this.status = status;
    this.outcome = outcome;
    this.sessionVersion = sessionVersion;
    this.hopLimit = hopLimit;
    this.delivery = delivery && { kind: delivery.tag, ms: delivery.val };
    this.requestBody = {
      kind: requestBody.tag,
      bytes: requestBody.val === undefined ? undefined : Number(requestBody.val),
    };
    this.keepAlive = keepAlive;
  }

  get #lines() {
    return new TextDecoder("latin1").decode(this.head).trimEnd().split("\r\n");
  }

  get reason() {
    return this.#lines[0].split(" ").slice(2).join(" ");
  }

  get headers() {
    return new Headers(this.#lines.slice(1).map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }));
  }

  get text() {
    return new TextDecoder().decode(this.body);
  }
}
