// Streamlit speaks English in a few places, whatever the page's language: these are our words for them. And it gives
// the field for files a role that hides its name from screen readers.

const page = PAGE; // language, cookie, words by Streamlit's English: filled in by look.py

document.documentElement.lang = page.language;
document.cookie = page.cookie;

window.emokids ??= { words: {}, said: new WeakMap() };
window.emokids.words = page.words;

// Only where Streamlit itself writes: what a visitor typed stays as it is.
const PLACES =
  "[data-testid=stFileUploader], [role=dialog], [data-testid=stElementToolbar], [data-testid=stHeader], " +
  "[data-testid=stSkipToContent], [data-testid=stSidebar]";

const STARTS = /^(Remove|Help for) /; // what follows is a word of ours

// Our word for what Streamlit wrote, or for the word that we put in its place in the other language.
window.emokids.wordFor = (node, text) => {
  const { words, said } = window.emokids;
  const before = said.get(node);
  const english = words[text] || STARTS.test(text) ? text : before?.ours === text && before.english;
  if (!english) return text;
  const ours = words[english] ?? english.replace(STARTS, (start) => words[start]);
  said.set(node, { english, ours });
  return ours;
};

window.emokids.translate = () => {
  const { wordFor } = window.emokids;
  for (const place of document.querySelectorAll(PLACES)) {
    const texts = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      const text = node.nodeValue.trim();
      const ours = wordFor(node, text);
      if (ours !== text) node.nodeValue = ours;
    }
  }
  for (const element of document.querySelectorAll("[aria-label]")) {
    const label = element.getAttribute("aria-label");
    const ours = wordFor(element, label);
    if (ours !== label) element.setAttribute("aria-label", ours);
  }
  for (const field of document.querySelectorAll("[data-testid=stFileUploaderDropzone][role=presentation]")) {
    field.setAttribute("role", "group");
  }
  // A table that is wider than the window is scrolled with keys, too.
  for (const table of document.querySelectorAll("[data-testid=stMain] table")) table.closest("div").tabIndex = 0;
  // A chart names its parts in English, some not at all; the table above it says the same.
  for (const chart of document.querySelectorAll("[data-testid=stVegaLiteChart]")) chart.ariaHidden = "true";
  for (const code of document.querySelectorAll("[data-testid=stErrorCodeBlock]")) code.hidden = true;
};

if (!window.emokids.observer) {
  watchHolds();
  window.emokids.observer = new MutationObserver(() => window.emokids.translate());
  window.emokids.observer.observe(document.body, { childList: true, subtree: true, characterData: true });
}
window.emokids.translate();
