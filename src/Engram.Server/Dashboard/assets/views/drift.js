// Drift of inputs, predictions and true performance, kept apart, since each means something else.
import { h, render, whenChanged } from '../dom.js';
import { ago, count, precise } from '../format.js';
import { t } from '../i18n.js';
import { badge, card, empty } from './parts.js';

const KINDS = ['performance', 'prediction', 'input'];
const NAMES = { adwin: 'ADWIN', 'page-hinkley': 'Page-Hinkley', ddm: 'DDM', kswin: 'KSWIN' };

export function driftTab(body, feed) {
  const parts = Object.fromEntries(KINDS.map(kind => [kind, h('div', {})]));
  body.append(...KINDS.map(kind => card(t(`drift.title.${kind}`), h('p', { class: 'hint' }, t(`drift.explained.${kind}`)), parts[kind])));

  const draws = KINDS.map(kind => whenChanged(signals => render(parts[kind], signals.length === 0 ? empty(t('drift.none')) : h('ul', { class: 'signals' },
    signals.toSorted((a, b) => b.drifting - a.drifting || b.warning - a.warning).map(signal => {
      const state = signal.drifting ? 'drifting' : signal.warning ? 'warning' : 'stable';
      return h('li', { class: `signal ${state}` },
        h('div', { class: 'row between' }, h('b', { class: 'clip', title: name(signal) }, name(signal)), badge(state, t(`signal.${state}`))),
        h('p', { class: 'value' }, precise(signal.value)),
        h('p', { class: 'note' }, `${NAMES[signal.detector] ?? signal.detector} · ${t('drift.seen', { count: count(signal.samples) })}`,
          signal.detected && ` · ${t('drift.detected', { time: ago(signal.detected) })}`));
    })))));

  return {
    update: () => KINDS.forEach((kind, i) => draws[i]((feed.watch.drift ?? []).filter(signal => signal.of === kind))),
  };
}

function name({ of, feature }) {
  if (of === 'input') return feature === undefined ? t('drift.distance') : t('drift.feature', { feature });
  if (feature === 'confidence' || feature === 'unknown' || feature === 'error') return t(`drift.${feature}`);
  return feature?.startsWith('label ') ? t('drift.share', { label: feature.slice(6) }) : feature ?? of;
}
