// The clock, and what was and what comes by it.

const SVG = "http://www.w3.org/2000/svg";
const TICKS = [60, 600, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400, 365 * 86400];
/** The clock as it was told, and when. */
let told;
let events = [];

const now = () => told.at + (told.paused ? 0 : (performance.now() - told.when) * told.speed);

function showTimeline(instance) {
  const { clock, timeline } = instance;
  told = { ...clock, at: Date.parse(clock.now), when: performance.now() };
  events = [...timeline.past, ...timeline["to-come"]].map((event) => ({ ...event, time: Date.parse(event.at) }));
  const pace = clock.paused ? "stands" : clock.speed === 1 ? "" : `${clock.speed} times as fast`;
  $("pace").textContent = [pace, clock.system ? "the system's time" : "moved"].filter(Boolean).join(", ");
  $("pause").textContent = clock.paused ? "Resume" : "Pause";
  $("pause").dataset.clock = JSON.stringify({ paused: !clock.paused });
  const past = timeline.past.length;
  const entry = (event, index) => element("li", { className: index < past ? "dim" : "" },
    element("span", { className: "number" }, `${index + 1}`),
    element("time", { dateTime: event.at, title: event.at }),
    element("span", { className: "what" }, event.what),
    element("button", { type: "button", "aria-label": `Move the clock to ${event.what}`, onclick: () => moveClock({ now: event.at }, true) }, "go there"));
  const none = () => [element("li", { className: "dim" }, "nothing is to come")];
  fill($("events"), JSON.stringify([past, events]), () => (events.length ? events.map(entry) : none()));
  tick();
}

function tick() {
  if (told === undefined) return;
  const at = now();
  $("clock").textContent = new Date(at).toISOString().replace("T", " ").slice(0, 19) + " UTC";
  $("events").querySelectorAll("time").forEach((time) => {
    const distance = (Date.parse(time.dateTime) - at) / 1000;
    time.textContent = distance > 0 ? `in ${span(distance)}` : `${span(distance)} ago`;
  });
  draw(at);
}

/** Near times have more room than far ones: the axis is a logarithm on both sides. */
function draw(at) {
  const axis = $("axis");
  const width = axis.clientWidth;
  if (!width) return;
  const shape = (name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const distances = events.map((event) => (event.time - at) / 1000);
  const far = Math.max(900, ...distances.map(Math.abs));
  const x = (seconds) => width / 2 + Math.sign(seconds) * Math.log1p(Math.abs(seconds) / 30) / Math.log1p(far / 30) * (width / 2 - 24);
  const parts = [shape("line", { x1: 0, x2: width, y1: 72, y2: 72 })];
  let last = width / 2;
  for (const seconds of TICKS.filter((seconds) => seconds <= far)) {
    if (x(seconds) - last < 44) continue;
    last = x(seconds);
    for (const side of [-seconds, seconds]) {
      parts.push(shape("line", { x1: x(side), x2: x(side), y1: 67, y2: 77 }));
      parts.push(shape("text", { x: x(side), y: 94 }, `${side < 0 ? "−" : "+"}${span(seconds)}`));
    }
  }
  parts.push(shape("line", { class: "now", x1: width / 2, x2: width / 2, y1: 4, y2: 78 }), shape("text", { x: width / 2, y: 94 }, "now"));
  const taken = [];
  const marks = events.map((event, index) => {
    const place = x(distances[index]);
    // One above the other where they would cover each other.
    const row = taken.filter((other) => Math.abs(other - place) < 20).length % 3;
    taken.push(place);
    parts.push(shape("line", { x1: place, x2: place, y1: 52 - row * 20, y2: 72 }));
    const mark = shape("g", {});
    mark.append(
      shape("circle", { cx: place, cy: 52 - row * 20, r: 9, class: distances[index] > 0 ? "" : "past" }),
      shape("text", { x: place, y: 56 - row * 20, class: "number" }, index + 1),
      shape("title", {}, `${event.at}: ${event.what}`),
    );
    return mark;
  });
  // The marks over all lines.
  axis.replaceChildren(...parts, ...marks);
}

/** Moves it. Where it goes to an event it goes by the instance's own rules. */
async function moveClock(step) {
  try {
    await ask(path("/clock"), { method: "PATCH", body: JSON.stringify(step) });
    say("the clock is moved", "good");
  } catch (error) {
    complain(error);
  }
  await refresh();
  relist();
}

$("steps").addEventListener("click", (event) => {
  if (event.target.dataset.clock !== undefined) moveClock(JSON.parse(event.target.dataset.clock));
});
$("move").addEventListener("submit", (event) => {
  event.preventDefault();
  const to = $("to").value.trim();
  if (to) moveClock(/^\d{4}-/.test(to) ? { now: to } : { advance: to.replace(/^\+/, "") });
});
addEventListener("resize", tick);
