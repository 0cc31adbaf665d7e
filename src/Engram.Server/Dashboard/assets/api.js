// The service's API. The key is kept for the tab's session only.

const KEY = 'engram.key';

/** A refusal of the service: RFC 9457 problem details. */
export class Problem extends Error {
  constructor(status, details) {
    super(details?.detail ?? details?.title ?? `HTTP ${status}`);
    this.status = status;
    this.field = details?.field;
  }
}

export const key = {
  get: () => sessionStorage.getItem(KEY),
  set: value => sessionStorage.setItem(KEY, value),
  clear: () => sessionStorage.removeItem(KEY),
};

export const learnerPath = name => `/v1/learners/${encodeURIComponent(name)}`;

/** Asks, and gives the JSON that comes back; undefined where nothing does. */
export async function call(path, { method = 'GET', body, signal } = {}) {
  const response = await send(path, { method, body, signal });
  return response.status === 204 ? undefined : response.json();
}

export const get = (path, signal) => call(path, { signal });
export const post = (path, body = {}) => call(path, { method: 'POST', body });
export const remove = path => call(path, { method: 'DELETE' });

/**
 * Reads server-sent events until the signal aborts; EventSource cannot send a key. Goes on after the last event when the
 * connection breaks, and tells `onState` whether it stands.
 */
export async function events(path, onEvent, onState, signal) {
  let last;
  let wait = 1000;
  while (!signal.aborted) {
    try {
      const response = await send(last === undefined ? path : `${path}?after=${last}`, { signal, accept: 'text/event-stream' });
      onState(true);
      wait = 1000;
      for await (const data of messages(response.body)) {
        const event = JSON.parse(data);
        last = event.number;
        onEvent(event);
      }
    } catch (problem) {
      if (signal.aborted || problem.status === 401 || problem.status === 403 || problem.status === 404) break;
    }
    onState(false);
    await pause(wait, signal);
    wait = Math.min(wait * 2, 15000);
  }
}

async function send(path, { method = 'GET', body, signal, accept = 'application/json' }) {
  const headers = { Accept: accept };
  if (key.get()) headers.Authorization = `Bearer ${key.get()}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const response = await fetch(path, {
    method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body), cache: 'no-store', credentials: 'omit',
  });
  if (response.ok) return response;
  throw new Problem(response.status, await response.json().catch(() => undefined));
}

async function* messages(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text = (text + value).replaceAll('\r\n', '\n');
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const data = text.slice(0, end).split('\n').filter(line => line.startsWith('data:')).map(line => line.slice(5).trimStart());
        text = text.slice(end + 2);
        if (data.length > 0) yield data.join('\n');
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function pause(milliseconds, signal) {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
