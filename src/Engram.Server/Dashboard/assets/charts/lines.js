// A line chart in SVG: a legend, few gridlines, and a reading of each point by pointer or arrow keys.
import { h, s } from '../dom.js';
import { t } from '../i18n.js';
import { ticks } from './ticks.js';

const HEIGHT = 210;
const MARGIN = { top: 12, right: 14, bottom: 26, left: 52 };

/**
 * @param label what the chart shows, for those who cannot see it
 * @param x, y how values are written
 * @param max the least top of the scale; `ceiling` its most
 * @param points whether single points are marked
 */
export function lineChart({ label, x, y, max = 0, ceiling = Infinity, points = false, area = false }) {
  const reading = h('p', { class: 'reading', 'aria-live': 'polite' });
  const legend = h('ul', { class: 'legend' });
  const svg = s('svg', { class: 'chart', role: 'img', tabindex: 0, 'aria-label': label });
  const element = h('figure', { class: 'figure' }, h('div', { class: 'row between' }, legend, reading), svg);
  let series = [];
  let chosen = null;
  let width = 600;

  const observer = new ResizeObserver(([entry]) => {
    if (entry.contentRect.width === 0 || entry.contentRect.width === width) return;
    width = entry.contentRect.width;
    draw();
  });
  observer.observe(svg);

  svg.addEventListener('pointermove', event => choose(nearest(event)));
  svg.addEventListener('pointerleave', () => choose(null));
  svg.addEventListener('blur', () => choose(null));
  svg.addEventListener('keydown', event => {
    const last = length() - 1;
    const next = { ArrowLeft: (chosen ?? last + 1) - 1, ArrowRight: (chosen ?? -1) + 1, Home: 0, End: last }[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    choose(Math.min(last, Math.max(0, next)));
  });

  const length = () => series[0]?.values.length ?? 0;
  const inner = () => ({ width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom });
  const across = i => MARGIN.left + (length() < 2 ? inner().width / 2 : i / (length() - 1) * inner().width);

  function nearest(event) {
    const at = (event.clientX - svg.getBoundingClientRect().left - MARGIN.left) / inner().width;
    return length() === 0 ? null : Math.round(Math.min(1, Math.max(0, at)) * (length() - 1));
  }

  function choose(next) {
    if (next === chosen) return;
    chosen = next;
    draw();
  }

  function draw() {
    const seen = series.flatMap(one => one.values.map(value => value.y)).filter(value => value !== null && value !== undefined);
    const scale = ticks(0, Math.min(ceiling, Math.max(max, ...seen)), 4);
    const top = scale.at(-1) || 1;
    const down = value => MARGIN.top + (1 - value / top) * inner().height;
    svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    svg.replaceChildren(...scale.flatMap(value => [
      s('line', { class: 'grid', x1: MARGIN.left, x2: width - MARGIN.right, y1: down(value), y2: down(value) }),
      s('text', { class: 'tick', x: MARGIN.left - 8, y: down(value) + 4, 'text-anchor': 'end' }, y(value)),
    ]), ...acrossTicks(), ...series.flatMap((one, i) => line(one, i + 1, down)), ...marker(down));
    if (chosen !== null && chosen < length()) {
      reading.textContent = `${x(series[0].values[chosen].x)} · ${series.map(one => `${one.name} ${y(one.values[chosen].y)}`).join(' · ')}`;
    } else {
      reading.textContent = seen.length === 0 ? t('chart.empty') : '';
    }
  }

  function acrossTicks() {
    const n = length();
    if (n === 0) return [];
    const most = Math.max(2, Math.floor(inner().width / 90));
    const step = Math.max(1, Math.ceil((n - 1) / (most - 1)));
    return Array.from({ length: n }, (_, i) => i).filter(i => i % step === 0 && (i === n - 1 || n - 1 - i >= step * 0.6 || i === 0)).map(i =>
      s('text', { class: 'tick', x: across(i), y: HEIGHT - 6, 'text-anchor': n > 1 && i === 0 ? 'start' : i === n - 1 && n > 1 ? 'end' : 'middle' }, x(series[0].values[i].x)));
  }

  function line({ values }, number, down) {
    const parts = [[]];
    values.forEach((value, i) => {
      if (value.y === null || value.y === undefined) parts.push([]);
      else parts.at(-1).push([across(i), down(Math.min(value.y, ceiling))]);
    });
    const drawn = parts.filter(part => part.length > 0);
    const path = drawn.map(part => `M${part.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join('L')}`).join('');
    const floor = HEIGHT - MARGIN.bottom;
    return [
      area && number === 1 && drawn.length > 0 && s('path', {
        class: `area s${number}`,
        d: drawn.map(part => `M${part[0][0]},${floor}L${part.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join('L')}L${part.at(-1)[0]},${floor}Z`).join(''),
      }),
      s('path', { class: `line s${number}`, d: path }),
      ...points || drawn.some(part => part.length === 1)
        ? drawn.flat().map(([cx, cy]) => s('circle', { class: `dot s${number}`, cx, cy, r: 3 })) : [],
    ].filter(Boolean);
  }

  function marker(down) {
    if (chosen === null || chosen >= length()) return [];
    return [
      s('line', { class: 'cursor', x1: across(chosen), x2: across(chosen), y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom }),
      ...series.map((one, i) => [one.values[chosen].y, i + 1]).filter(([value]) => value !== null && value !== undefined).map(([value, number]) =>
        s('circle', { class: `dot s${number}`, cx: across(chosen), cy: down(Math.min(value, ceiling)), r: 4.5 })),
    ];
  }

  return {
    element,
    /** Shows series: [{ name, values: [{ x, y }] }], all over the same x. */
    update(next) {
      series = next;
      legend.replaceChildren(...series.map((one, i) => h('li', { class: `key s${i + 1}` }, one.name)));
      const last = series.map(one => `${one.name} ${y(one.values.at(-1)?.y)}`).join(', ');
      svg.setAttribute('aria-label', `${label}. ${last}. ${t('chart.keys')}`);
      draw();
    },
    dispose: () => observer.disconnect(),
  };
}
