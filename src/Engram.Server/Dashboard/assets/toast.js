// A short word on what was done, read aloud by screen readers, gone after a while.
import { h } from './dom.js';

const SHOWN = 6000;

export function toast(text, kind = 'good') {
  const line = h('p', { class: `toast ${kind}` }, text);
  document.getElementById('toasts').append(line);
  setTimeout(() => line.remove(), SHOWN);
}
