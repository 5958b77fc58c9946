// Which instance is looked at, and the rounds in which the page looks again.

const ROUND = 2000;
const LIST_ROUND = 30000;
/** The key of the one that is shown. */
let chosen;
let leave = new AbortController();

const path = (rest) => `/v1/instances/${encodeURIComponent(chosen)}${rest}`;

/** The one that the address names; otherwise the first. */
function chooseFirst(first) {
  let named = "";
  try {
    if (location.hash.startsWith("#/")) named = decodeURIComponent(location.hash.slice(2));
  } catch {
    // It is not percent-encoded, and so none of ours.
  }
  choose(named || first);
}

function choose(key) {
  forget();
  leave.abort();
  leave = new AbortController();
  chosen = key;
  // The address brings it back when the page is loaded again.
  history.replaceState(null, "", `#/${encodeURIComponent(key)}`);
  $("head").textContent = "";
  $("body").textContent = "";
  $("show").replaceChildren();
  $("problems").replaceChildren();
  say("");
  mark();
  refresh();
  versions();
  follow(leave.signal);
}

/** Shows what the chosen one is now. */
async function refresh() {
  const key = chosen;
  if (key === undefined) return;
  try {
    const instance = await ask(path(""), { signal: leave.signal });
    if (key !== chosen) return;
    $("instance").hidden = false;
    showFacts(instance);
    showOptions(instance["metadata-options"]);
    showFaults(instance);
    showTimeline(instance);
  } catch (error) {
    if (error.status === 404 && key === chosen) {
      $("instance").hidden = true;
      $("said").textContent = "";
    }
    complain(error);
  }
}

/** The list changed with an instance; a thousand are not asked for at each step. */
let waiting;
function relist() {
  clearTimeout(waiting);
  waiting = setTimeout(list, rows.size > PAGE ? 5000 : 200);
}

async function rounds() {
  for (;;) {
    await sleep(ROUND);
    if (!document.hidden) await refresh();
  }
}

// Firefox gives up on the way there when the page changes meanwhile; it is to be there then.
addEventListener("focusin", ({ target }) => setTimeout(() => {
  if (target === document.activeElement && target.matches(":focus-visible")) target.scrollIntoView({ block: "nearest" });
}, 200));
setInterval(() => document.hidden || tick(), 1000);
setInterval(() => document.hidden || list(), LIST_ROUND);
list();
rounds();
