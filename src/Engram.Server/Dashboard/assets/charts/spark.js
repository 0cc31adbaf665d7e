// A small line without axes, beside the number that it explains.
import { s } from '../dom.js';

export function spark(values, label) {
  const top = Math.max(...values, 1e-9);
  const path = values.map((value, i) => `${i ? 'L' : 'M'}${(i / Math.max(1, values.length - 1) * 100).toFixed(1)},${(28 - value / top * 26).toFixed(1)}`).join('');
  return s('svg', { class: 'spark', viewBox: '0 0 100 30', preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    values.length > 1 && s('path', { class: 'line s1', d: path }));
}
