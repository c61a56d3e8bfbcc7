// Streamlit speaks English in a few places, whatever the page's language: these are our words for them. And it gives
// the field for files a role that hides its name from screen readers.

const page = PAGE; // language, cookie, words by Streamlit's English: filled in by emokids_look.py

document.documentElement.lang = page.language;
document.cookie = page.cookie;

window.emokids ??= { words: {}, said: new WeakMap() };
window.emokids.words = page.words;

// Only where Streamlit itself writes: what a visitor typed stays as it is.
const PLACES = "[data-testid=stFileUploader], [role=dialog], [data-testid=stElementToolbar], [data-testid=stHeader]";

window.emokids.translate = () => {
  const { words, said } = window.emokids;
  for (const place of document.querySelectorAll(PLACES)) {
    const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = place; node; node = walker.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) {
        const english = words[node.nodeValue.trim()] ? node.nodeValue.trim() : said.get(node);
        if (!english) continue;
        said.set(node, english);
        if (words[english] && node.nodeValue !== words[english]) node.nodeValue = words[english];
      } else {
        const label = node.getAttribute("aria-label");
        if (words[label] && words[label] !== label) node.setAttribute("aria-label", words[label]);
      }
    }
  }
  for (const field of document.querySelectorAll("[data-testid=stFileUploaderDropzone][role=presentation]")) {
    field.setAttribute("role", "group");
  }
  for (const code of document.querySelectorAll("[data-testid=stErrorCodeBlock]")) code.hidden = true;
};

if (!window.emokids.observer) {
  window.emokids.observer = new MutationObserver(() => window.emokids.translate());
  window.emokids.observer.observe(document.body, { childList: true, subtree: true, characterData: true });
}
window.emokids.translate();
