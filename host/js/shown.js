// What a client sent, as the journal keeps it: of bounded length, and without
// what looks like a key or a token. A test prints its journal into a log that
// others read.

const METHOD_CHARACTERS = 20;
const TARGET_CHARACTERS = 160;
// What is looked at: more than what is shown, so that a secret at the cut is seen,
// and little, since whoever asks chooses it.
const SEEN_CHARACTERS = 400;
// Whoever escapes more often hides something.
const ESCAPED_AT_MOST = 4;

// Keys and tokens are random, words are not: in random text the kind of character
// changes often. Each change adds to a score, each character takes from it.
const CHANGE = 4;
const SECRET = 8;

const CERTAIN = /\bA[KS]IA[A-Z0-9]{12,}|[0-9a-f]{32,}|[A-Za-z0-9]{65,}/i;
// Ids and addresses have many digits and are no secrets.
const HARMLESS = /^(\d+|[0-9a-f]{1,17}|[0-9A-F]{2})$/;

/** A method, or `…` for what cannot be one. */
export function shownMethod(method) {
  return secretAt(method.slice(0, SEEN_CHARACTERS)) >= 0 ? "…" : cut(method, METHOD_CHARACTERS);
}

/**
 * A target without its query, and without credentials before a host; it ends where something looks like a secret. What
 * `isFound` is the path of something that the instance has, however its name looks.
 */
export function shownTarget(target, isFound = false) {
  const seen = target.slice(0, SEEN_CHARACTERS);
  const [before] = seen.split(/[?#]/, 1);
  const path = before.startsWith("/") ? before : before.replace(/^([^/]*:\/\/)?[^/]*@/, "$1");
  const decoded = decodedFully(path);
  if (decoded === undefined) return `${path.slice(0, path.indexOf("%"))}…`;
  const at = idOfCredentialsAt(decoded) ?? (isFound && !decoded.includes("..") ? -1 : secretAt(decoded));
  if (at < 0) return cut(path, TARGET_CHARACTERS) + (before.length < target.length ? `${target[before.length]}…` : "");
  // Up to the first escape, both texts are the same.
  const escape = path.indexOf("%");
  return `${cut(path.slice(0, escape < 0 ? at : Math.min(at, escape)), TARGET_CHARACTERS)}…`;
}

/**
 * Where a path may have the id of a task's credentials, by which any client gets them: behind a first name `v1` or
 * `v2`, which no version of the metadata service has. `credentials` itself is shown; undefined in other paths.
 */
function idOfCredentialsAt(path) {
  // A scheme and an authority may come before.
  const first = path.startsWith("/") ? 0 : 2;
  let [at, depth, isBehind, isNamed] = [0, 0, false, false];
  for (const segment of path.split("/")) {
    if (segment !== "" && segment !== ".") {
      if (isBehind && (isNamed || segment !== "credentials")) return at;
      if (isBehind) isNamed = true;
      else if (segment === "..") depth = Math.max(0, depth - 1);
      else if (depth <= first && /^v[12]$/i.test(segment)) isBehind = true;
      else depth += 1;
    }
    at += segment.length + 1;
  }
  return undefined;
}

/** A text without escapes; undefined where one hides another too often. */
function decodedFully(text) {
  for (let times = 0; times <= ESCAPED_AT_MOST; times += 1) {
    const decoded = text.replace(/%([0-7][0-9a-f])/gi, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
    if (decoded === text) return text;
    text = decoded;
  }
  return undefined;
}

function cut(text, characters) {
  const shown = text.slice(0, characters).replace(/[^ -~]/g, (character) =>
    `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return text.length > characters ? `${shown}…` : shown;
}

/** Where the first secret begins, with whatever before it might belong to it; -1 where there is none. */
function secretAt(text) {
  if (!CERTAIN.test(text) && !isRandom(text)) return -1;
  // Slashes split keys: the paths of the service are of small letters, or of digits.
  let at = Math.max(0, text.search(/[A-Z]|\d[a-z]|[a-z]\d/));
  while (at > 0 && /[a-z0-9]/.test(text[at - 1])) at -= 1;
  return at;
}

function isRandom(text) {
  let score = 0;
  for (const [word] of text.matchAll(/[A-Za-z0-9]+/g)) {
    if (HARMLESS.test(word)) continue;
    for (let at = 0; at < word.length; at += 1) {
      score = Math.max(0, score + (changes(word, at) ? CHANGE : 0) - 1);
      if (score >= SECRET) return true;
    }
  }
  return false;
}

const kind = (character) => (/\d/.test(character) ? 0 : /[a-z]/.test(character) ? 1 : 2);

/** Whether the kind changes within a word; one may begin with a capital. */
function changes(word, at) {
  return at > 0 && kind(word[at]) !== kind(word[at - 1]) && !(at === 1 && kind(word[0]) === 2 && kind(word[1]) === 1);
}
