// Text that models wrote, as it is shown: marks that act are written out, tokens are tinted by log-probability.
// @ts-check
/** @typedef {import("./tree-model.js").Node} Node */
/** @typedef {import("./tree-model.js").Token} Token */

// The same characters as the report writes out (report/wording.py).
const UNSEEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\ufffb\ufffe\uffff\u{e0000}-\u{e0fff}]/gu;
/** Tokens above which a text is not tinted. */
const MOST_TINTED = 4000;

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

/** Whether there is something to tint. @param {Node} node */
export const isTintable = (node) => node.tokens.length > 0 && node.tokens.length <= MOST_TINTED;

/** The words of a node in one element; those that only went on are added to what is there. */
export class Words {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    this.id = "";
    this.text = "";
  }

  /** @param {Node} node */
  show(node) {
    if (this.id === node.id && node.text.startsWith(this.text)) {
      if (node.text.length > this.text.length) this.place.append(visible(node.text.slice(this.text.length)));
    } else this.place.textContent = visible(node.text);
    this.id = node.id;
    this.text = node.text;
  }
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
