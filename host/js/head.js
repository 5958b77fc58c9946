// Where the head of a request ends.

/** Above these bounds the component answers that the head is too large. */
const BYTES = 16 * 1024;
const FIELDS = 64;

const LF = 10;
const CR = 13;

/**
 * The length of the head that bytes begin with, or of what is there of one that is beyond the bounds or can be none;
 * `undefined` where more has to come.
 */
export function lengthOfHead(bytes) {
  let [line, lines] = [0, 0];
  for (let at = bytes.indexOf(LF); at >= 0 && at < BYTES; at = bytes.indexOf(LF, line)) {
    const isEmpty = at === line || (at === line + 1 && bytes[line] === CR);
    line = at + 1;
    // Empty lines before the request count for nothing.
    if (isEmpty && lines > 0) return line;
    if (!isEmpty) lines += 1;
    if (lines > FIELDS + 1) return line;
  }
  if (bytes.length >= BYTES) return BYTES;
  // Of who speaks TLS, for example, no line may ever end.
  if (lines === 0 && line < bytes.length && !beginsMethod(bytes[line])) return bytes.length;
  return undefined;
}

const beginsMethod = (byte) => byte === CR || /[!#$%&'*+.^_`|~\w-]/.test(String.fromCharCode(byte));
