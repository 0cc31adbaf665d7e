// The accuracy matrix as a table: versions down, classes across, each cell as dark as its recall is high.
import { h } from '../dom.js';
import { percent } from '../format.js';
import { t } from '../i18n.js';

const STEPS = 10;

export function accuracyMatrix({ labels, versions, accuracy, mean }) {
  const cell = value => value === null || value === undefined
    ? h('td', { class: 'heat none' }, h('span', { class: 'unseen' }, t('matrix.unmeasured')), h('span', { 'aria-hidden': 'true' }, '·'))
    : h('td', { class: `heat heat-${Math.round(value * STEPS)}`, title: percent(value) }, Math.round(value * 100));
  return h('div', { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': t('matrix.label'), 'data-key': 'matrix' },
    h('table', { class: 'matrix' },
      h('caption', {}, t('matrix.caption')),
      h('thead', {}, h('tr', {},
        h('th', { scope: 'col', class: 'corner' }, t('matrix.version')),
        labels.map(label => h('th', { scope: 'col', title: label }, h('span', { class: 'clip' }, label))),
        h('th', { scope: 'col' }, t('matrix.mean')))),
      h('tbody', {}, versions.map((version, row) => h('tr', {},
        h('th', { scope: 'row' }, `v${version}`), labels.map((_, i) => cell(accuracy[row][i])), cell(mean[row]))))));
}
