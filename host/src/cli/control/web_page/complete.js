// The list below the box of changes, of what the schema has for the place of the cursor.

const box = $("change");
const offered = $("offered");
/** What describes changes; asked for once, when it is needed. */
let schema;
/** What is listed, where it would go, and which of it is chosen. */
let listed = [];
let goes;
let at = 0;

async function readSchema() {
  schema ??= ask("/v1/schema");
  try {
    return await schema;
  } catch (error) {
    schema = undefined;
    throw error;
  }
}

/** Lists what there is at the cursor. Who writes gets it where a word has begun; who
    asks for it, always. */
async function offer(isAsked) {
  let root;
  try {
    root = await readSchema();
  } catch (error) {
    return complain(error);
  }
  // Meanwhile somebody may have gone elsewhere.
  const place = document.activeElement === box && box.selectionStart === box.selectionEnd ? placeOf(box.value, box.selectionStart) : undefined;
  const begun = bare(place?.word ?? "").toLowerCase();
  const all = place && (isAsked || place.word) ? offers(root, place) : [];
  const found = all.filter(({ name, text }) => name.toLowerCase().includes(begun) && text !== place.word);
  const isFirst = ({ name }) => name.toLowerCase().startsWith(begun);
  listed = [...found.filter(isFirst), ...found.filter((one) => !isFirst(one))];
  goes = place;
  showOffered();
}

function showOffered() {
  at = 0;
  offered.replaceChildren(...listed.map(({ name, about }, index) =>
    element("li", { id: `offer-${index}`, role: "option", onclick: () => take(index) }, name, about ? element("small", {}, ` ${about}`) : undefined)));
  offered.hidden = listed.length === 0;
  markOffered();
}

function markOffered() {
  [...offered.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
  if (offered.hidden) return box.removeAttribute("aria-activedescendant");
  box.setAttribute("aria-activedescendant", `offer-${at}`);
  return offered.children[at].scrollIntoView({ block: "nearest" });
}

function close() {
  listed = [];
  showOffered();
}

/** Puts one of them into the box, in a step that can be undone. */
function take(index) {
  const { text, within = 0 } = listed[index];
  const rest = box.value.slice(goes.end);
  // A name that was there keeps its value, and what follows stays another field.
  const isRenamed = !goes.isValue && /^\s*:/.test(rest);
  const put = goes.lead + (isRenamed ? text.slice(0, text.indexOf('":') + 1) : text + (/^\s*["{[\w]/.test(rest) ? "," : ""));
  box.focus();
  box.setSelectionRange(goes.begin, goes.end);
  if (!document.execCommand("insertText", false, put)) box.setRangeText(put, goes.begin, goes.end, "end");
  close();
  if (isRenamed) return undefined;
  const cursor = goes.begin + goes.lead.length + text.length - within;
  box.setSelectionRange(cursor, cursor);
  // What can stand there now, if that is a choice.
  return goes.isValue ? undefined : offer(true);
}

const KEYS = {
  ArrowDown: () => { at = (at + 1) % listed.length; },
  ArrowUp: () => { at = (at + listed.length - 1) % listed.length; },
  Enter: () => take(at),
  Tab: () => take(at),
  Escape: close,
};

box.addEventListener("keydown", (event) => {
  if (event.key === " " && event.ctrlKey) {
    event.preventDefault();
    offer(true).then(() => listed.length > 0 || say("the schema has nothing for this place"));
  } else if (listed.length > 0 && KEYS[event.key] && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    KEYS[event.key]();
    markOffered();
  }
});
box.addEventListener("input", (event) => event.inputType === "insertText" || event.inputType.startsWith("delete") ? offer(false) : close());
box.addEventListener("blur", close);
box.addEventListener("click", close);
box.addEventListener("keyup", (event) => ["ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"].includes(event.key) && close());
// The box keeps the focus.
offered.addEventListener("mousedown", (event) => event.preventDefault());
