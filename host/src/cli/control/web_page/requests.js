// What clients ask, as it comes, and who still does without a token.

const ROWS = 200;

/** Follows one instance until another is chosen. */
async function follow(signal) {
  const body = $("requests").tBodies[0];
  body.replaceChildren();
  let query = "limit=100";
  while (!signal.aborted) {
    try {
      const only = $("refusals").checked ? "&refusals=true" : "";
      const { last, requests } = await ask(path(`/requests?${query}${only}`), { signal });
      body.prepend(...requests.reverse().map(row));
      while (body.rows.length > ROWS) body.lastChild.remove();
      if (requests.length > 0 || query === "limit=100") await showUsage(signal);
      query = `after=${last}&limit=100&wait=25`;
      // Many clients are no reason to draw without a pause.
      if (requests.length > 0) await sleep(300);
    } catch (error) {
      if (signal.aborted) return;
      complain(error);
      await sleep(3000);
    }
  }
}

function row(request) {
  const status = request.status ?? "none";
  const why = request.fault ? `fault ${request.fault}: ${request.reason}` : request.reason;
  const cell = (...within) => element("td", {}, ...within);
  return element("tr", {},
    cell(request.time.slice(11, 23)),
    element("td", { className: status < 400 ? "good" : "bad" }, String(status)),
    request.version === 1 ? element("td", { className: "warn" }, "v1") : cell(request.version ? `v${request.version}` : "?"),
    cell(element("code", {}, `${request.method ?? "?"} ${request.target ?? ""}`)),
    cell(why, request.rule && request.rule !== why ? element("small", {}, ` ${request.rule}`) : undefined),
    cell([request.caller, request["user-agent"]].filter(Boolean).join(" ")));
}

async function showUsage(signal) {
  const { totals, clients } = await ask(path("/usage"), { signal });
  $("usage").textContent = `Version 2: ${totals["version-2"]}. Version 1: ${totals["version-1"]} answered, `
    + `${totals["version-1-rejected"]} refused. Neither known: ${totals.unknown}.`;
  $("usage").className = totals["version-1"] ? "warn" : "";
  const entry = (client) => {
    const name = client.rest ? "all others" : [client.caller, client["user-agent"]].filter(Boolean).join(" ") || "unknown";
    const without = client["version-1"] + client["version-1-rejected"];
    const processes = (client.processes ?? []).map((process) => `${process.script ?? process.command} (${process.pid})`);
    const by = processes.length ? `, by ${processes.join(", ")}` : "";
    return element("li", {},
      element("strong", { className: without ? "warn" : "" }, without ? `version 1: ${without}` : `version 2 only`),
      ` ${name}${without ? `, last ${client["version-1-target"] ?? "?"}` : ""}, with a token ${client["version-2"]}${by}`);
  };
  fill($("clients"), JSON.stringify(clients), () => clients.map(entry));
}

$("refusals").addEventListener("change", () => chosen !== undefined && choose(chosen));
