// Text that models wrote, as it is shown: marks that act are written out, tokens are tinted by log-probability.
// @ts-check
/** @typedef {import("./tree-model.js").Node} Node */
/** @typedef {import("./tree-model.js").Token} Token */

// The same characters as the report writes out (report/wording.py).
const UNSEEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\ufffb\ufffe\uffff\u{e0000}-\u{e0fff}]/gu;
/** Tokens above which a text is not tinted. */
const MOST_TINTED = 4000;
/** Characters that are laid out at once: over a megabyte without a space a browser takes ten seconds. */
const PORTION = 50_000;

/** @param {string} text */
export function visible(text) {
  return text.replaceAll("\r\n", "\n").replace(UNSEEN, (found) => `⟨U+${/** @type {number} */ (found.codePointAt(0)).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** @param {number} value @param {number} digits */
export function number(value, digits = 0) {
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
}

/** Whose words a node holds. @param {Node} node */
export function who(node) {
  if (node.role === "assistant") return node.edited ? "edited" : node.origin === "model" ? "model" : "yours";
  return node.role;
}

/** Why a text is not tinted; empty where it is. @param {Node} node */
export function untinted(node) {
  if (!node.tokens.length) return "Of this node no log-probabilities are known.";
  return node.tokens.length > MOST_TINTED || node.text.length > PORTION ? "This text is too long to be tinted." : "";
}

/** A text in one element; words that only went on are added to it. Of a long one the beginning, the rest if asked for. */
export class Words {
  /** @param {HTMLElement} place @param {HTMLElement} frame what it scrolls in */
  constructor(place, frame = place) {
    this.place = place;
    this.frame = frame;
    this.more = document.createElement("button");
    this.more.type = "button";
    this.more.addEventListener("click", () => void this.showRest());
    this.more.className = "more";
    this.more.hidden = true;
    frame.after(this.more);
    this.id = "";
    this.text = "";
    /** Characters that are shown, and how many more may be in the last block. */
    this.at = this.room = 0;
    this.isWhole = false;
  }

  /** @param {string} id of what has the text @param {string} text */
  show(id, text) {
    if (this.id !== id || !text.startsWith(this.text)) {
      this.place.replaceChildren();
      this.at = this.room = 0;
      this.isWhole = false;
    }
    this.id = id;
    this.text = text;
    this.fill();
  }

  /** Add what fits; gives whether some is left. */
  fill() {
    if (!this.room && (this.isWhole || !this.at)) {
      // Blocks of their own: what is added to one need not be laid out again with the others.
      const block = document.createElement("span");
      block.className = "portion";
      this.place.append(block);
      this.room = PORTION;
    }
    const piece = fitting(this.text.slice(this.at, this.at + this.room), this.room, this.text.length - this.at);
    const words = visible(piece);
    if (words) this.place.lastElementChild?.append(words);
    this.at += piece.length;
    const left = this.text.length - this.at;
    this.room = left ? 0 : this.room - words.length;
    this.more.hidden = !left || this.isWhole;
    this.more.textContent = `Show the remaining ${number(left)} characters`;
    return left > 0;
  }

  async showRest() {
    this.isWhole = true;
    this.frame.focus({ preventScroll: true });
    while (this.isWhole && this.fill()) await new Promise((go) => requestAnimationFrame(go));
  }
}

/** As much of a piece as is no longer than the room when it is written out. @param {string} piece @param {number} room @param {number} left */
function fitting(piece, room, left) {
  while (visible(piece).length > room) piece = piece.slice(0, piece.length >> 1);
  if (piece.length === left) return piece;
  const line = piece.lastIndexOf("\n") + 1;
  // Never through the middle of a character.
  return line > piece.length / 2 ? piece.slice(0, line) : piece.replace(/[\ud800-\udbff\r]$/, "");
}

/** The tokens of a node, tinted; arrow keys and the pointer go from one to the next. */
export class Strip {
  /** @param {HTMLElement} place @param {HTMLElement} says @param {number[]} bounds */
  constructor(place, says, bounds) {
    this.place = place;
    this.says = says;
    this.bounds = bounds;
    /** @type {Token[]} */
    this.tokens = [];
    this.id = "";
    this.at = -1;
    place.addEventListener("pointerover", (event) => this.look(Number(/** @type {HTMLElement} */ (event.target).dataset.token ?? -1)));
    place.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 10, ArrowUp: -10, Home: -1e9, End: 1e9 }[event.key];
      if (step === undefined || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.look(Math.max(0, Math.min(this.tokens.length - 1, this.at + step)));
    });
    place.addEventListener("focus", () => this.look(Math.max(0, this.at)));
  }

  /** @param {Node} node */
  show(node) {
    const goesOn = this.id === node.id && this.tokens.length <= node.tokens.length && this.tokens.every((token, i) => token[0] === node.tokens[i][0]);
    if (!goesOn) {
      // Where a person began the text, or the last bytes of it are no character, the tokens are its end alone.
      const end = node.tokens.map(([text]) => text).join("");
      this.place.textContent = node.text.endsWith(end) ? visible(node.text.slice(0, node.text.length - end.length)) : "";
      this.tokens = [];
      this.at = -1;
      this.says.textContent = "";
    }
    node.tokens.slice(this.tokens.length).forEach(([text, logprob], i) => {
      const piece = document.createElement("span");
      piece.textContent = visible(text);
      piece.className = `t${this.shade(logprob)}`;
      piece.dataset.token = String(this.tokens.length + i);
      this.place.append(piece);
    });
    this.tokens = node.tokens;
    this.id = node.id;
  }

  /** How many of the bounds its surprise reaches. @param {number | null} logprob */
  shade(logprob) {
    return logprob === null ? this.bounds.length : this.bounds.filter((bound) => -logprob >= bound).length;
  }

  /** Say of a token how much it was expected. @param {number} at */
  look(at) {
    const token = this.tokens[at];
    if (!token) return;
    this.place.querySelector(".looked-at")?.classList.remove("looked-at");
    this.place.querySelector(`[data-token="${at}"]`)?.classList.add("looked-at");
    this.at = at;
    this.says.textContent = `Token ${at + 1} of ${this.tokens.length}, “${visible(token[0])}”: ${chance(token[1])}.`;
  }
}

/** @param {number | null} logprob */
function chance(logprob) {
  if (logprob === null) return "it could not come at all";
  const share = 100 * Math.exp(logprob);
  return `${number(logprob, 2)} nats, ${share < 0.1 ? "less than 0.1" : number(share, 1)} %`;
}

/** What the tints say, in a sentence. @param {Node} node */
export function heatInWords(node) {
  const known = node.tokens.filter((token) => token[1] !== null);
  if (!known.length) return "";
  const mean = known.reduce((sum, token) => sum + Number(token[1]), 0) / known.length;
  const least = known.reduce((low, token) => (Number(token[1]) < Number(low[1]) ? token : low));
  return `${known.length} tokens, mean ${number(mean, 2)} nats; least expected: “${visible(least[0])}” (${chance(least[1])}).`;
}
