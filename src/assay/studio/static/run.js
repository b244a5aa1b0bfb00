// A run while it goes on: what it tells comes as numbered events, so a reload, a lost line or a second tab
// begins where it left off and misses nothing.
// @ts-check
import { fill, openTraces } from "./page.js";
import { axis, colour, plot } from "./plot.js";

const run = /** @type {HTMLElement} */ (document.getElementById("run"));
const at = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const facts = run.dataset;
const binary = facts.binary === "1";
const scale = binary ? 100 : 1;
const unit = binary ? "points" : (facts.unit ?? "");
const list = at("sample-list");
/** @type {{n: number[], estimate: (number|null)[], low: (number|null)[], high: (number|null)[]}} */
const course = { n: [], estimate: [], low: [], high: [] };
let last = 0;
let state = facts.state ?? "";
/** @type {null | (() => void)} */
let redraw = null;
let drawing = false;
let listedAt = 0;
openTraces(list);

const signed = (/** @type {number} */ value) =>
  (value * scale).toLocaleString("en", { minimumFractionDigits: binary ? 1 : 3, maximumFractionDigits: binary ? 1 : 3, signDisplay: "exceptZero" }).replace("-", "−");

/** @param {any} event */
function told(event) {
  if (event.kind === "begin") {
    course.n.length = course.estimate.length = course.low.length = course.high.length = 0;
    at("notes").replaceChildren();
    at("why").hidden = true;
  }
  if (event.kind === "note") note(event.text ?? "");
  if (event.kind === "phase" || event.kind === "making") at("phase").textContent = event.text ?? "";
  if (event.total) {
    const bar = /** @type {HTMLProgressElement} */ (at("progress"));
    bar.max = event.total;
    bar.value = event.done ?? 0;
    if (event.kind === "look" || event.kind === "sample") at("phase").textContent = `${event.text ? event.text + ", " : ""}${event.done} of at most ${event.total}`;
  }
  if (event.kind === "look" && event.data) look(event.done, event.data);
  if (event.kind === "end" && event.text !== "done" && event.text !== "stopped") why(event.text);
}

/** @param {string} text */
function note(text) {
  const item = document.createElement("li");
  item.textContent = text;
  at("notes").append(item);
}

/** @param {string} text */
function why(text) {
  at("why").textContent = text;
  at("why").hidden = !text;
}

/** @param {number} n @param {{estimate: number|null, low: number|null, high: number|null}} data */
function look(n, data) {
  course.n.push(n);
  for (const name of /** @type {const} */ (["estimate", "low", "high"])) {
    const value = data[name];
    course[name].push(value === null || value === undefined ? null : value * scale);
  }
  if (data.estimate !== null) at("effect").textContent = `${signed(data.estimate)} ${unit}`;
  if (data.low !== null && data.high !== null) at("interval").textContent = `[${signed(data.low)}, ${signed(data.high)}]`;
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    at("no-chart").hidden = true;
    if (redraw) redraw();
    else redraw = plot(at("chart"), chart);
  });
}

function chart() {
  const worth = facts.smallest ? Number(facts.smallest) * scale * Math.sign(Number(facts.direction) || 1) : null;
  const paired = facts.evidence !== "rate";
  const level = (/** @type {number|null} */ value) => course.n.map(() => value);
  const band = colour("band");
  const compared = facts.evidence === "detector" ? "AUROC, treatment minus control" : `${unit}, treatment minus control`;
  return {
    options: {
      scales: { x: { time: false } },
      axes: [axis({ label: "pairs", labelSize: 22 }), axis({ label: paired ? compared : unit, labelSize: 22 })],
      bands: [{ series: [3, 2], fill: band }],
      series: [
        { label: "pairs" },
        { label: "estimate", stroke: colour("accent"), width: 2, points: { show: course.n.length < 3 } },
        { label: "low", stroke: band, width: 1, points: { show: false } },
        { label: "high", stroke: band, width: 1, points: { show: false } },
        { label: "no effect", stroke: colour("quiet"), width: 1, points: { show: false } },
        { label: "worth having", stroke: colour("quiet"), dash: [4, 4], width: 1, points: { show: false } },
      ],
      cursor: { drag: { x: false, y: false } },
    },
    data: [course.n, course.estimate, course.low, course.high, level(paired ? 0 : null), level(paired ? worth : null)],
  };
}

const ENDINGS = ["scored", "unparsed", "truncated", "refused", "errored"];

/** @param {any[]} arms */
function tally(arms) {
  const role = (/** @type {string} */ arm) => (arm === facts.treatment ? 0 : arm === facts.control ? 1 : 2);
  const rows = arms.sort((a, b) => role(a.arm) - role(b.arm)).map((arm) => {
    const row = document.createElement("tr");
    const scored = arm.endings.scored ?? 0;
    const mean = scored ? arm.score / scored : null;
    const shown = mean === null ? "–" : binary ? `${(100 * mean).toFixed(1)} %` : mean.toFixed(3);
    const name = ["treatment", "control"][role(arm.arm)];
    const cells = [name ? `${name}: ${arm.arm}` : arm.arm, shown, ...ENDINGS.map((ending) => arm.endings[ending] ?? 0)];
    cells.push(...["tokens_in", "tokens_out", "calls"].map((field) => Number(arm[field] ?? 0).toLocaleString("en")));
    cells.forEach((text, i) => {
      const cell = document.createElement(i ? "td" : "th");
      if (!i) cell.scope = "row";
      cell.textContent = String(text);
      row.append(cell);
    });
    return row;
  });
  const spent = (/** @type {string|undefined} */ name) => {
    const arm = arms.find((one) => one.arm === name);
    return arm ? arm.tokens_in + arm.tokens_out : 0;
  };
  const [own, other] = [spent(facts.treatment), spent(facts.control)];
  at("cost").textContent = own && other ? `So far ${(own / other).toFixed(2)} times the tokens of the control.` : "";
  at("arms").querySelector("tbody")?.replaceChildren(...rows);
  // An open trace is being read: the list is left alone.
  if (Date.now() - listedAt > 2000 && !list.querySelector("details.trace[open]")) void listSamples();
}

async function listSamples() {
  listedAt = Date.now();
  const open = [...list.querySelectorAll("details.group[open]")].map((group) => /** @type {HTMLElement} */ (group).dataset.kind);
  const first = !list.querySelector("details.group");
  await fill(list, list.dataset.src ?? "");
  if (first) return;
  for (const group of /** @type {HTMLDetailsElement[]} */ ([...list.querySelectorAll("details.group")])) group.open = open.includes(group.dataset.kind);
}

/** @param {{state: string, why?: string}} now */
function changed(now) {
  const before = state;
  state = now.state;
  at("state").textContent = state;
  at("state").className = `state ${state}`;
  at("stop").hidden = state !== "running";
  at("resume").hidden = state !== "stopped" || !facts.cap;
  document.title = `assay: ${facts.run}, ${state}`;
  if (now.why && at("why").hidden) why(now.why);
  if (state === "done" && (before !== "done" || facts.state !== "done")) location.reload();
  if (state !== "running") source?.close();
  // What was at its end when the page came is listed with its tally: a second list would shut what is being read.
  if (state !== "running" && before === "running") void listSamples();
}

/** @type {EventSource | null} */
let source = null;

function connect() {
  source?.close();
  source = new EventSource(`/runs/${facts.run}/events?after=${last}`);
  source.addEventListener("told", (message) => {
    last = Number(message.lastEventId);
    told(JSON.parse(message.data));
  });
  source.addEventListener("tally", (message) => tally(JSON.parse(message.data)));
  source.addEventListener("state", (message) => changed(JSON.parse(message.data)));
}

// A browser opens six connections to a server and no more: tabs nobody looks at give theirs back.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) source?.close();
  else if (state === "running") connect();
});
connect();
