// The server is the source of truth: what is done is asked of it, and what has become of it is told by it.
// @ts-check
/** @typedef {import("./tree-model.js").News} News */

/** The server said no, in a sentence. */
export class Refused extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export class Server {
  /**
   * @param {string} tree
   * @param {(news: News) => void} told
   * @param {(sentence: string) => void} lost
   */
  constructor(tree, told, lost) {
    this.path = `/api/trees/${tree}`;
    this.version = -1;
    this.told = told;
    this.lost = lost;
    this.last = "";
    /** @type {EventSource | null} */
    this.source = null;
    /** @type {Promise<unknown>} */
    this.before = Promise.resolve();
    /** @type {(() => void)[]} */
    this.waiting = [];
    document.addEventListener("visibilitychange", () => {
      // A browser opens six connections to a server and no more: tabs nobody looks at give theirs back.
      if (document.hidden) this.source?.close();
      else this.connect();
    });
  }

  /** Be told of changes, all that were missed included. */
  connect() {
    this.source?.close();
    this.source = new EventSource(`${this.path}/events?after=${this.last}`);
    this.source.addEventListener("news", (message) => {
      this.last = message.lastEventId;
      /** @type {News} */
      const news = JSON.parse(message.data);
      if (news.head) this.version = news.head.version;
      this.told(news);
      for (const go of this.waiting.splice(0)) go();
    });
    this.source.addEventListener("lost", (message) => {
      this.source?.close();
      this.lost(JSON.parse(message.data).error);
    });
  }

  /** Load the whole tree again. */
  reload() {
    this.last = "";
    return new Promise((/** @type {(value?: unknown) => void} */ go) => {
      this.waiting.push(go);
      this.connect();
    });
  }

  /**
   * Do one thing after those asked for before. It is done to the version this page knows, or to an older one that
   * was read, and refused where the tree is at another.
   * @param {Record<string, unknown> & {op: string, version?: number}} asked
   * @returns {Promise<any>}
   */
  ask(asked) {
    const grows = ["generate", "regenerate", "continue"].includes(asked.op);
    const sent = this.before.then(async () => {
      const version = asked.version ?? this.version;
      const answer = this.post({ ...asked, version });
      // The first words may take long. What is asked next waits only until the new nodes are told of.
      return { answer, begun: grows ? Promise.race([answer, this.past(version)]) : answer };
    });
    this.before = sent.then(({ begun }) => begun).catch(() => {});
    return sent.then(({ answer }) => answer);
  }

  /** @param {number} version */
  async past(version) {
    while (this.version <= version) await new Promise((/** @type {(value?: unknown) => void} */ go) => this.waiting.push(go));
  }

  /** @param {Record<string, unknown>} body */
  async post(body) {
    const text = JSON.stringify(body);
    const headers = { "content-type": "application/json", accept: "application/json" };
    // The last words are sent even while the page is being left; browsers do that for small bodies alone.
    const answer = await reply(fetch(this.path, { method: "POST", headers, body: text, keepalive: text.length < 20_000 }));
    const found = await answer.json();
    if (typeof found.version === "number") this.version = Math.max(this.version, found.version);
    return found;
  }

  /** The conversation that ends with a node. @param {string} node */
  async lineage(node) {
    return (await reply(fetch(`${this.path}/lineage?node=${node}`, { headers: { accept: "application/json" } }))).text();
  }
}

/** @param {Promise<Response>} asked */
async function reply(asked) {
  const answer = await asked.catch(() => {
    throw new Refused(0, "The studio does not answer. Is it still running?");
  });
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, said.error?.message ?? said.error ?? `The studio answers ${answer.status}.`);
}
