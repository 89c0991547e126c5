// This browser's subscription to pushes: the same for the page and for the service worker.

/** The key that it was made with, as `/push/vapid` gives it; null: the browser does not say. */
function keyOf({ options }) {
  if (!options?.applicationServerKey) return null;
  const bytes = String.fromCharCode(...new Uint8Array(options.applicationServerKey));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The subscription with this key. A browser keeps one alone, and takes no other key for as long as it has it. */
self.subscribe = async (pushManager, publicKey) => {
  const before = await pushManager.getSubscription();
  const key = before && keyOf(before);
  if (key && key !== publicKey) await before.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
};
