// The page keeps a visit while the program is started again, and hands it to the session that it then finds itself in,
// over and over until that has `taken` it. In memory only: what a browser calls session storage it writes to the disk.

let connection;

export default ({ data, setTriggerValue }) => {
  const kept = window.emokidsVisit;
  const known = !kept?.visit || [data.session, data.taken].includes(kept.session);
  if (known) window.emokidsVisit = data;
  else setTriggerValue("handed", kept);
  connection?.disconnect();
  connection = whenConnected(() => setTriggerValue("connected", true)); // or the new session waits for a click
  return () => connection.disconnect();
};

// Have `action` called each time Streamlit finds its server again.
function whenConnected(action) {
  const app = document.querySelector("[data-testid=stApp]");
  const observer = new MutationObserver(() => app.dataset.testConnectionState === "CONNECTED" && action());
  observer.observe(app, { attributeFilter: ["data-test-connection-state"] });
  return observer;
}
