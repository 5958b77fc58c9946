/** What is left of a request's body, which is thrown away as it comes. */
export class Rest {
  #is;
  #bytes;

  constructor(is, bytes = 0) {
    this.#is = is;
    this.#bytes = bytes;
  }

  /** All of a body; none where nobody can know its end. */
  static of(kind, bytes) {
    switch (kind) {
      case "none":
        return new Rest("nothing");
      case "length":
        return new Rest("bytes", bytes);
      case "chunked":
        return new Rest("size");
      default:
        return undefined;
    }
  }

  /**
   * Takes what belongs to the body off the front of what came: how long that is, and whether the body `is` "whole",
   * "part" of it is still to come, or it is "wrong".
   */
  take(input) {
    let at = 0;
    for (;;) {
      if ((this.#is === "bytes" || this.#is === "chunk") && this.#bytes > 0) {
        const taken = Math.min(this.#bytes, input.length - at);
        at += taken;
        this.#bytes -= taken;
        if (this.#bytes > 0) return { length: at, is: "part" };
      }
      if (this.#is === "bytes") this.#is = "nothing";
      if (this.#is === "nothing") return { length: at, is: "whole" };
      const end = input.indexOf(10, at);
      if (end < 0) return { length: at, is: "part" };
      const line = input.toString("latin1", at, end + 1);
      if (!this.#takeLine(line)) return { length: at, is: "wrong" };
      at = end + 1;
    }
  }

  /** RFC 9112, section 7.1. False for a line that stands nowhere there. */
  #takeLine(line) {
    switch (this.#is) {
      case "chunk":
        this.#is = "size";
        return line === "\r\n";
      case "size": {
        const size = /^([0-9a-f]{1,12})[\t ]*(;[\t\x20-\x7e\x80-\xff]*)?\r\n$/i.exec(line);
        this.#bytes = size ? parseInt(size[1], 16) : 0;
        this.#is = this.#bytes > 0 ? "chunk" : "trailers";
        return size !== null;
      }
      default:
        if (line === "\r\n") this.#is = "nothing";
        return line === "\r\n" || /^[!-9;-~]+:[\t\x20-\x7e\x80-\xff]*\r\n$/.test(line);
    }
  }
}
