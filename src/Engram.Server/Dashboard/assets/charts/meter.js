// A share as a bar. SVG widths are attributes: a style attribute would break the content security policy.
import { s } from '../dom.js';

export function meter(share, kind = 's1') {
  const value = Math.min(1, Math.max(0, share || 0));
  return s('svg', { class: 'meter', viewBox: '0 0 100 4', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    s('rect', { class: 'track', width: 100, height: 4 }), s('rect', { class: `fill ${kind}`, width: 100 * value, height: 4 }));
}

/** Parts of a whole: [{ value, kind }]. */
export function stack(parts) {
  const total = parts.reduce((sum, part) => sum + part.value, 0) || 1;
  let x = 0;
  return s('svg', { class: 'meter tall', viewBox: '0 0 100 4', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    s('rect', { class: 'track', width: 100, height: 4 }),
    parts.map(({ value, kind }) => {
      const width = value / total * 100;
      const part = s('rect', { class: `fill ${kind}`, x, width, height: 4 });
      x += width;
      return part;
    }));
}
