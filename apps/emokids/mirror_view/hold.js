// The adult's page opens when its link is held, with a finger, the mouse or a key: a child's tap does nothing.

const HOLD_MS = 1500;
const adultsLink = (event) => event.target.closest?.('a[href$="/adult"]');

function watchHolds() {
  let since = null;
  let opening = false;
  const isKey = ({ key }) => key === "Enter" || key === " ";
  const press = () => (since = performance.now());
  const release = (link) => {
    const long = since !== null && performance.now() - since >= HOLD_MS;
    since = null;
    if (!link || !long) return;
    opening = true;
    link.click();
    opening = false;
  };
  const onLink = (type, action) => {
    const listen = (event) => adultsLink(event) && action(event);
    document.addEventListener(type, listen, { capture: true });
  };
  const refuse = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  onLink("pointerdown", press);
  onLink("keydown", (event) => isKey(event) && (event.preventDefault(), event.repeat || press()));
  onLink("keyup", (event) => isKey(event) && release(adultsLink(event)));
  for (const type of ["contextmenu", "dragstart"]) onLink(type, refuse);
  onLink("click", (event) => opening || refuse(event));
  document.addEventListener("pointerup", (event) => release(adultsLink(event)), { capture: true });
  document.addEventListener("pointercancel", () => (since = null), { capture: true });
}
