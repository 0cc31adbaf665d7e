// What is known of one learner: polled while the page is seen, and sooner when an event says that something changed.
import { events, get, learnerPath } from './api.js';

const EVERY = 2000;
const SLOW = 15000;
const POINTS = 150; // five minutes
const EVENTS = 100;
const CHANGES = new Set(['candidate', 'published', 'refused', 'staged', 'rolled-back', 'failed', 'paused', 'resumed']);

export class LearnerFeed extends EventTarget {
  description; watch; versions; accuracy; examples; error;
  events = [];
  history = [];
  live = false;
  #path; #abort = new AbortController(); #timer; #slow = 0;

  constructor(name) {
    super();
    this.name = name;
    this.#path = learnerPath(name);
  }

  start() {
    this.#poll();
    events(`${this.#path}/events`, event => this.#happened(event), live => { this.live = live; this.#tell(); }, this.#abort.signal);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  /** Asks for everything now, after a change made here. */
  async refresh() {
    this.#slow = 0;
    await this.#load();
  }

  async #poll() {
    if (!document.hidden) await this.#load();
    if (!this.#abort.signal.aborted) this.#timer = setTimeout(() => this.#poll(), EVERY);
  }

  async #load() {
    const { signal } = this.#abort;
    const all = Date.now() - this.#slow > SLOW;
    try {
      const [description, watch, versions, accuracy, examples] = await Promise.all([
        get(this.#path, signal), get(`${this.#path}/watch`, signal),
        ...all ? [get(`${this.#path}/versions`, signal), get(`${this.#path}/accuracy`, signal), get(`${this.#path}/examples`, signal)] : [],
      ]);
      Object.assign(this, { description, watch, error: undefined }, all ? { versions, accuracy, examples } : {});
      if (all) this.#slow = Date.now();
      const { perSecond, p50Ms, p99Ms } = watch.predictions;
      this.history = [...this.history, { at: Date.now(), perSecond, p50Ms, p99Ms }].slice(-POINTS);
    } catch (problem) {
      if (signal.aborted) return;
      this.error = problem;
    }
    this.#tell();
  }

  #happened(event) {
    const progress = event.type === 'progress';
    // Progress says the same again and again: only its last word stays.
    const rest = progress && this.events[0]?.type === 'progress' ? this.events.slice(1) : this.events;
    this.events = [event, ...rest].slice(0, EVENTS);
    if (this.description && event.progress !== undefined) this.description = { ...this.description, progress: event.progress };
    if (CHANGES.has(event.type)) this.refresh();
    else this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event('change'));
  }
}
