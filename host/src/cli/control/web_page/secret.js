// Secrets: hidden, and shown one at a time to whoever asks for it, until anything else is
// looked at.

/** Which showing this is; one that comes too late is shown no more. */
let showing = 0;
let hide = () => {};

/** Hides the secret that is shown, if one is. */
function forget() {
  showing += 1;
  hide();
  hide = () => {};
}

/** A button that shows a secret, by `show` with what is answered, and hides it again, by
    `show` without. None where the secret is for the instance's own callers. */
function secretButton(name, asked, show) {
  if (many) return "";
  const press = async () => {
    const isShown = button.getAttribute("aria-pressed") === "true";
    forget();
    if (isShown) return;
    const mine = showing;
    try {
      const answer = await ask(path("/secret"), { method: "POST", body: JSON.stringify(asked), signal: leave.signal });
      if (mine !== showing) return;
      show(answer);
      turn(true);
      hide = () => { show(); turn(false); };
    } catch (error) {
      complain(error);
    }
  };
  const button = element("button", { type: "button", className: "small", onclick: press });
  const turn = (isShown) => {
    button.textContent = isShown ? "Hide" : "Show";
    button.setAttribute("aria-label", `${button.textContent} ${name}`);
    button.setAttribute("aria-pressed", String(isShown));
  };
  turn(false);
  return button;
}

const HIDDEN = "(hidden)";
const inPath = (name) => encodeURI(name).replace(/[?#]/g, encodeURIComponent);

/** Where the service tells what stands hidden in a description, by the name that a fact
    has. */
function secretsOf({ tags, "user-data": text, "user-data-base64": bytes, "extra-entries": entries }) {
  const found = {};
  if (text === HIDDEN || bytes === HIDDEN) found["user data"] = "/latest/user-data";
  for (const [name, value] of Object.entries(tags ?? {})) {
    if (value === HIDDEN) found[`tag ${name}`] = `/latest/meta-data/tags/instance/${inPath(name)}`;
  }
  for (const [name, value] of Object.entries(entries ?? {})) {
    if (value === HIDDEN) found[`entry ${name}`] = `/${/^\d{4}-/.test(name) ? "" : "latest/"}${inPath(name)}`;
  }
  return found;
}

/** What a fact says that is hidden. */
function secretFact(name, asked) {
  const value = element("span", {}, HIDDEN);
  const show = (answer) => {
    value.textContent = answer === undefined ? HIDDEN : answer.status === 200 ? answer.body : `the service answers ${answer.status ?? "nothing"}`;
  };
  return element("dd", {}, value, " ", secretButton(name, { path: asked }, show));
}

addEventListener("pagehide", forget);
document.addEventListener("visibilitychange", () => document.hidden && forget());
