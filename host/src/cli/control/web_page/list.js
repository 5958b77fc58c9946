// The list of instances: page after page, so that a thousand keep nobody waiting.

const PAGE = 100;
let listing = 0;
/** Whether each caller has an instance of its own. */
let many = false;
const rows = new Map();

async function list() {
  const mine = (listing += 1);
  const seen = new Set();
  let after;
  try {
    do {
      const query = `limit=${PAGE}${after === undefined ? "" : `&after=${encodeURIComponent(after)}`}`;
      const page = await ask(`/v1/instances?${query}`);
      // Somebody asked again meanwhile.
      if (mine !== listing) return;
      show(page.instances, seen);
      after = page.next;
      many = page.many;
      $("add").hidden = $("remove").hidden = !many;
      $("count").textContent = after === undefined ? `${page.all}` : `${seen.size} of ${page.all}`;
      if (chosen === undefined && page.instances.length > 0) chooseFirst(page.instances[0].key);
    } while (after !== undefined);
    for (const [key, row] of rows) {
      if (!seen.has(key)) {
        row.remove();
        rows.delete(key);
      }
    }
    filter();
  } catch (error) {
    complain(error);
  }
}

function show(instances, seen) {
  const added = [];
  for (const one of instances) {
    seen.add(one.key);
    let row = rows.get(one.key);
    if (row === undefined) {
      row = element("li", {}, element("button", { type: "button", tabIndex: -1, onclick: () => choose(one.key) }));
      rows.set(one.key, row);
      added.push(row);
    }
    label(row, one);
  }
  $("list").append(...added);
  filter();
}

function label(row, one) {
  const words = `${one.key} ${one["instance-id"]} ${one["instance-type"]} ${one.state}`;
  if (row.words === words) return;
  row.words = words;
  const id = one.key === one["instance-id"] ? "" : `${one["instance-id"]}, `;
  const about = element("small", {}, `${id}${one["instance-type"]}, `, element("span", { className: one.state === "running" ? "good" : "bad" }, one.state));
  row.firstChild.replaceChildren(one.key, about);
}

/** Hides what does not have the words, and lets Tab reach one of the others. */
function filter() {
  const wanted = $("filter").value.trim().toLowerCase();
  for (const row of rows.values()) row.hidden = !row.words.toLowerCase().includes(wanted);
  mark();
}

function mark() {
  let reachable;
  for (const [key, row] of rows) {
    const button = row.firstChild;
    button.tabIndex = -1;
    if (key === chosen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    if (!row.hidden && (reachable === undefined || key === chosen)) reachable = button;
  }
  if (reachable) reachable.tabIndex = 0;
}

$("filter").addEventListener("input", filter);
$("again").addEventListener("click", list);
$("list").addEventListener("keydown", (event) => {
  const shown = [...$("list").children].filter((row) => !row.hidden).map((row) => row.firstChild);
  const at = shown.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1 }[event.key];
  if (to === undefined || shown[to] === undefined) return;
  event.preventDefault();
  shown[to].focus();
});
