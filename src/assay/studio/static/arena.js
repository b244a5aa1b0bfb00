// One vote after the other, by keyboard. Who wrote what is not known here before the server has kept the vote.
// @ts-check
import { fill } from "./page.js";

/** @typedef {"left"|"right"|"tie"|"both-bad"|"skip"} Choice */
const at = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const place = at("sitting");
const next = at("next");
const buttons = /** @type {HTMLButtonElement[]} */ ([...document.querySelectorAll("button[data-choice]")]);
/** @type {Record<string, Choice>} */
const KEYS = { 1: "left", ArrowLeft: "left", 2: "right", ArrowRight: "right", 0: "tie", t: "tie", b: "both-bad", s: "skip" };
const SAYS = { left: "A is better", right: "B is better", tie: "Equal", "both-bad": "Both bad" };
let battle = "";

/** @typedef {"waiting"|"reading"|"voted"|"over"} State */
/** @param {State} state */
const is = (state) => place.dataset.state === state;

/** @param {State} state @param {string} text */
function enter(state, text) {
  place.dataset.state = state;
  at("status").textContent = text;
  for (const button of buttons) button.disabled = state !== "reading";
  next.hidden = state !== "voted";
}

/** @param {string} path @param {object} [body] @returns {Promise<any>} */
async function send(path, body) {
  const headers = { "content-type": "application/json", accept: "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: body && JSON.stringify(body) });
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.error ?? `The studio answers ${answer.status}.`);
  return found;
}

/** @param {unknown} error */
function failed(error) {
  const network = error instanceof TypeError;
  enter("voted", network ? "The studio does not answer. Votes that were acknowledged are kept." : String(/** @type {Error} */ (error).message));
  next.focus();
}

/** @param {{equal: number, missing: number, voted: number}} out */
function leftOut(out) {
  const parts = [];
  if (out.equal) parts.push(`${out.equal} with equal replies`);
  if (out.missing) parts.push(`${out.missing} without a reply`);
  if (out.voted) parts.push(`${out.voted} voted on before`);
  return parts.length ? ` Pairs left out: ${parts.join(", ")}.` : "";
}

async function show() {
  battle = "";
  for (const id of ["prompt", "left", "right", "left-name", "right-name"]) at(id).textContent = "";
  for (const side of document.querySelectorAll(".chosen")) side.classList.remove("chosen");
  // While a pair is read nothing on the page names a contender.
  at("standing-part").hidden = true;
  enter("waiting", "The replies are being written.");
  try {
    const found = await send(`/arena/sittings/${place.dataset.sitting}/next`);
    if (found.battle === null) {
      enter("over", `All pairs have been shown.${leftOut(found.left_out)}`);
      return;
    }
    battle = found.battle;
    for (const id of ["prompt", "left", "right"]) {
      const { text, left_out: cut } = found[id];
      at(id).textContent = (text || "(an empty reply)") + (cut ? `\n\n(${cut.toLocaleString("en")} characters more are not shown)` : "");
      at(id).scrollTop = 0;
    }
    enter("reading", "Which is better?");
  } catch (error) {
    failed(error);
  }
}

/** @param {Choice} choice */
async function vote(choice) {
  if (!is("reading")) return;
  enter("waiting", "The vote is being kept.");
  try {
    const told = await send(`/arena/battles/${battle}`, { choice });
    if (choice === "skip") {
      await show();
      return;
    }
    at("left-name").textContent = told.left;
    at("right-name").textContent = told.right;
    if (choice === "left" || choice === "right") at(choice).parentElement?.classList.add("chosen");
    enter("voted", `Your vote is kept: ${SAYS[choice]}. A is ${told.left}, B is ${told.right}.`);
    next.focus({ preventScroll: true });
    await fill(at("board"), "/arena/board");
    // Who is quick reads the next pair by now.
    at("standing-part").hidden = !is("voted");
  } catch (error) {
    failed(error);
  }
}

for (const button of buttons) button.addEventListener("click", () => vote(/** @type {Choice} */ (button.dataset.choice)));
next.addEventListener("click", show);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  const choice = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (choice && is("reading")) {
    event.preventDefault();
    vote(choice);
  } else if ((event.key === "Enter" || event.key === " ") && is("voted") && !(event.target instanceof Element && event.target.closest("a, button, summary"))) {
    // A button that has the focus is pressed by these keys anyway.
    event.preventDefault();
    show();
  }
});
show();
