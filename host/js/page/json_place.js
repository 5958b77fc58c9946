// Where in a JSON text that is being written a caret stands.

/**
 * What stands at the caret: `is` a "key" or a "value", `path` leads there from the root, `keys` are those that its
 * object has before, and the text from `from` to `to` is what was written of it. `undefined` where nothing can stand.
 */
export function placeAt(text, caret) {
  const open = [];
  let expects = "value";
  let at = 0;
  const path = () => open.flatMap(({ key }) => (key === undefined ? [] : [key]));
  const place = (from, to) => {
    const top = open.at(-1);
    if (expects === "key") return { is: "key", path: open.slice(0, -1).map(({ key }) => key), keys: top.keys, from, to };
    return expects === "value" ? { is: "value", path: path(), keys: [], from, to } : undefined;
  };
  while (at < caret) {
    const top = open.at(-1);
    const token = /\s+|"(?:[^"\\\n]|\\.)*"?|[{}[\]:,]|[^\s{}[\]:,"]+/y;
    token.lastIndex = at;
    const [word] = token.exec(text);
    const end = at + word.length;
    const isClosed = /^"(?:[^"\\\n]|\\.)*"$/.test(word);
    const isWord = !/^[\s{}[\]:,]/.test(word);
    // A string that was closed before the caret is whole; a word goes on.
    if (isWord && (end > caret || (end === caret && !isClosed))) return place(at, end);
    if (word === "{" || word === "[") {
      open.push(word === "{" ? { keys: [] } : { key: 0 });
      expects = word === "{" ? "key" : "value";
    } else if (word === "}" || word === "]") {
      open.pop();
      expects = "comma";
    } else if (word === ":") {
      expects = "value";
    } else if (word === "," && top) {
      if (top.keys) expects = "key";
      else [expects, top.key] = ["value", top.key + 1];
    } else if (isWord && expects === "key") {
      top.key = nameOf(word);
      top.keys.push(top.key);
      expects = "colon";
    } else if (isWord) {
      expects = "comma";
    }
    at = end;
  }
  return place(caret, caret);
}

function nameOf(word) {
  try {
    return JSON.parse(word);
  } catch {
    return word;
  }
}
