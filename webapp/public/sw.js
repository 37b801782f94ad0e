// The application itself when there is no line: its page and its files, nothing of what anybody reads or writes.
const SHELL = 'congvu-shell-1';

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.add('/')).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim());
});

/** The page as the server has it now; as it was, when the server does not answer. The files of an older build go with it. */
async function page() {
  const cache = await caches.open(SHELL);
  try {
    const answer = await fetch('/', { credentials: 'same-origin' });
    if (!answer.ok) return answer;
    const known = await cache.match('/');
    const [now, before] = [await answer.clone().text(), await known?.text()];
    if (now !== before) {
      for (const request of await cache.keys()) await cache.delete(request);
      await cache.put('/', answer.clone());
    }
    return answer;
  } catch {
    return (await cache.match('/')) ?? Response.error();
  }
}

/** A file whose name says what is in it is the same for ever. */
async function file(request) {
  const cache = await caches.open(SHELL);
  const known = await cache.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

self.addEventListener('fetch', (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== 'GET' || origin !== self.location.origin) return;
  const isPage = event.request.mode === 'navigate' && !/^\/(api|jmap)\b|\.[a-z]+$/.test(pathname);
  if (isPage) event.respondWith(page());
  else if (pathname.startsWith('/assets/')) event.respondWith(file(event.request));
});
