// What there is to ask for, folder by folder as it is opened.

/** The path of a name in a listing. A folder ends with a slash, except at the top of a
    version, and `0=my-key` names the folder 0. */
function pathOf(folder, name) {
  if (folder.endsWith("/public-keys/") && name.includes("=")) return `${folder}${name.split("=")[0]}/`;
  const isTop = folder.split("/").length === 3 && name !== "user-data" && !name.endsWith("/");
  return `${folder}${name.replace(/[\0- %?#\x7f]/g, encodeURIComponent)}${isTop ? "/" : ""}`;
}

async function get(asked) {
  const without = $("version1").checked ? "&version1=true" : "";
  return ask(path(`/get?path=${encodeURIComponent(asked)}${without}`));
}

/** Asks for a path, and shows what is answered. */
async function look(asked) {
  forget();
  $("item").textContent = asked;
  $("show").replaceChildren();
  try {
    const answer = await get(asked);
    if ($("item").textContent === asked) tell(answer);
    return answer;
  } catch (error) {
    if (!(error instanceof Refused)) complain(error);
    if ($("item").textContent !== asked) return undefined;
    const hidden = error.status === 403 ? `${HIDDEN}: it holds a secret` : error.message;
    tell({ head: "", body: hidden });
    if (error.status === 403) {
      const what = { path: asked, version1: $("version1").checked };
      $("show").append(secretButton(asked, what, (answer = { head: "", body: hidden }) => tell(answer)));
    }
    return undefined;
  }
}

function tell(answer) {
  $("head").textContent = answer.head?.trim() ?? `nothing is sent: ${answer.outcome}`;
  $("body").textContent = answer.body ?? "";
}

async function open(list, folder) {
  const answer = await look(folder);
  const names = answer?.status === 200 ? (answer.body ?? "").split("\n").filter(Boolean) : [];
  list.replaceChildren(...names.map((name) => branch(name, pathOf(folder, name))));
}

function branch(name, at) {
  if (!at.endsWith("/")) return element("li", {}, element("button", { type: "button", onclick: () => look(at) }, name));
  const list = element("ul");
  const details = element("details", {}, element("summary", {}, name), list);
  details.addEventListener("toggle", () => details.open && open(list, at));
  return element("li", {}, details);
}

/** The versions that the instance lists, the last of them at first. */
async function versions() {
  const answer = await get("/").catch(() => undefined);
  const names = answer?.status === 200 ? answer.body.split("\n").filter(Boolean) : [];
  const before = $("version").value;
  const all = names.length ? names.reverse() : ["latest"];
  $("version").replaceChildren(...all.map((name) => element("option", {}, name)));
  if (all.includes(before)) $("version").value = before;
  await open($("items"), `/${$("version").value}/`);
}

$("version").addEventListener("change", () => open($("items"), `/${$("version").value}/`));
$("version1").addEventListener("change", versions);
