// Pieces that several views share.
import { h } from '../dom.js';
import { named, t } from '../i18n.js';

const KINDS = {
  published: 'good', staged: 'warn', canary: 'warn', shadow: 'info', observed: 'info', retired: 'plain', refused: 'bad',
  idle: 'good', learning: 'info', examining: 'info', paused: 'warn', failed: 'bad',
  drifting: 'bad', warning: 'warn', stable: 'good',
};

export const badge = (kind, text) => h('span', { class: `badge ${KINDS[kind] ?? kind}` }, text);

export const stateBadge = state => badge(state, named(`state.${state}`));

export const activityBadge = activity => badge(activity, named(`activity.${activity}`));

/** A titled part of a page. */
export function card(title, ...children) {
  return h('section', { class: 'card' }, h('h2', {}, title), children);
}

/** A number with its name. */
export function tile(name, value, note, extra) {
  return h('div', { class: 'tile' }, h('dt', {}, name), h('dd', {}, h('span', { class: 'value' }, value), note && h('span', { class: 'note' }, note), extra));
}

export const empty = (text, ...more) => h('div', { class: 'empty' }, h('p', {}, text), more);

/** The signals that drift, in words; what they are of is kept apart. */
export function driftSummary(signals = []) {
  const drifting = [...new Set(signals.filter(signal => signal.drifting).map(signal => signal.of))];
  return drifting.length > 0
    ? { kind: 'drifting', text: t('drift.of', { of: drifting.map(of => named(`drift.${of}`)).join(', ') }) }
    : signals.some(signal => signal.warning) ? { kind: 'warning', text: t('drift.warning') } : { kind: 'stable', text: t('drift.stable') };
}
