// Small things every page may have: commands that can be copied.
// @ts-check

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(/** @type {HTMLElement} */ (button).dataset.copy ?? "");
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}

/**
 * A part of a page from the server, put in place of what an element holds. The server escapes what models wrote.
 * @param {Element} place
 * @param {string} source
 */
export async function fill(place, source) {
  const answer = await fetch(source, { headers: { accept: "text/html" } });
  place.innerHTML = answer.ok ? await answer.text() : "";
  if (!answer.ok) place.textContent = `The studio answers ${answer.status}.`;
}

/**
 * Samples of a run: their traces are fetched when they are opened, and more of them when asked for.
 * @param {HTMLElement} list
 */
export function openTraces(list) {
  list.addEventListener(
    "toggle",
    (event) => {
      const details = /** @type {HTMLDetailsElement} */ (event.target);
      if (!details.matches("details.trace") || !details.open || details.dataset.filled) return;
      details.dataset.filled = "yes";
      const place = document.createElement("div");
      details.append(place);
      void fill(place, details.dataset.src ?? "");
    },
    true,
  );
  list.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target);
    if (button.matches("button.more")) void fill(list, button.dataset.src ?? "");
  });
}
