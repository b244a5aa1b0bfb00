// Writing in a node: kept a second after the last key, and never over words that somebody else has put there since.
// @ts-check
import { Refused } from "./tree-server.js";
/** @typedef {import("./tree-model.js").Tree} Tree */
/** @typedef {import("./tree-server.js").Server} Server */

const at = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const REST_MS = 1000;

export class Editor {
  /** @param {Tree} tree @param {Server} server @param {(error: unknown, more?: string) => Promise<void>} failed */
  constructor(tree, server, failed) {
    this.tree = tree;
    this.server = server;
    this.failed = failed;
    this.box = /** @type {HTMLTextAreaElement} */ (at("words"));
    this.form = at("edit");
    this.id = "";
    /** What stood in the node when it was read, and the version of the tree that was. */
    this.read = { text: "", version: -1 };
    this.refused = false;
    this.timer = 0;
    /** @type {Promise<boolean>} */
    this.saving = Promise.resolve(true);
    this.box.addEventListener("input", () => {
      clearTimeout(this.timer);
      if (!this.refused) this.timer = setTimeout(() => void this.save(), REST_MS);
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    });
    window.addEventListener("pagehide", () => void this.save());
  }

  get open() {
    return this.id !== "";
  }

  /** @param {string} id */
  begin(id) {
    const node = this.tree.nodes.get(id);
    if (!node) return;
    if (this.id !== id) {
      this.id = id;
      this.refused = false;
      this.read = { text: node.text, version: this.server.version };
      this.box.value = node.text;
    }
    this.form.hidden = false;
    this.box.focus();
  }

  /** What others change elsewhere is no reason to refuse what is written here. */
  follow() {
    if (this.open && this.tree.nodes.get(this.id)?.text === this.read.text) this.read.version = this.server.version;
  }

  /** Keep what was written; false where that was refused. @returns {Promise<boolean>} */
  save() {
    clearTimeout(this.timer);
    this.saving = this.saving.then(() => this.put());
    return this.saving;
  }

  async put() {
    const [id, text] = [this.id, this.box.value];
    if (!id || text === this.read.text) return true;
    try {
      const { version } = await this.server.ask({ op: "edit", node: id, text, version: this.read.version });
      if (this.id === id) this.read = { text, version };
      this.refused = false;
      return true;
    } catch (error) {
      this.refused = true;
      await this.failed(error, " What you wrote is still in the box; save it again to put it there all the same.");
      const node = this.tree.nodes.get(id);
      if (error instanceof Refused && error.status === 409 && node) this.read = { text: node.text, version: this.server.version };
      return false;
    }
  }

  /** Leave the box, everything kept; false where something in it could not be. */
  async end() {
    if (!(await this.save())) return false;
    this.id = "";
    this.form.hidden = true;
    return true;
  }
}
