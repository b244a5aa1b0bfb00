// The first page: claims by word and by verdict. What was chosen stands in the address, so that it can be sent on.
// @ts-check

const lines = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".claims li")]);
const counts = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("button.count")]);
const find = /** @type {HTMLInputElement} */ (document.getElementById("find"));
const none = /** @type {HTMLElement} */ (document.getElementById("none"));
let chosen = "";

function show() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let left = 0;
  for (const line of lines) {
    const fits = words.every((word) => (line.dataset.text ?? "").includes(word));
    line.hidden = !fits || (chosen !== "" && line.dataset.word !== chosen);
    left += line.hidden ? 0 : 1;
  }
  for (const group of /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".source, .shelf")])) {
    group.hidden = !group.querySelector(".claims li:not([hidden])");
  }
  for (const count of counts) count.setAttribute("aria-pressed", String(count.dataset.word === chosen));
  none.hidden = left > 0;
  const query = new URLSearchParams();
  if (find.value) query.set("find", find.value);
  if (chosen) query.set("verdict", chosen);
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
}

for (const count of counts) {
  count.addEventListener("click", () => {
    chosen = chosen === count.dataset.word ? "" : (count.dataset.word ?? "");
    show();
  });
}
find.addEventListener("input", show);
document.getElementById("all")?.addEventListener("click", () => {
  chosen = find.value = "";
  show();
});
const asked = new URLSearchParams(location.search);
find.value = asked.get("find") ?? "";
chosen = asked.get("verdict") ?? "";
if (find.value || chosen) show();
