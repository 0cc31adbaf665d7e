// What a learner holds: its classes, what is stored of them, and the examples that must never be lost.
import { meter } from '../charts/meter.js';
import { h, render, whenChanged } from '../dom.js';
import { bytes, count, moment } from '../format.js';
import { t } from '../i18n.js';
import { card, empty, tile } from './parts.js';

export function memoryTab(body, feed) {
  const [tiles, content, examples] = [h('dl', { class: 'tiles' }), h('div', {}), h('div', {})];
  body.append(tiles, card(t('memory.content'), h('p', { class: 'hint' }, t('memory.explained')), content),
    card(t('memory.examples'), h('p', { class: 'hint' }, t('memory.examplesExplained')), examples));

  const drawContent = whenChanged((classes = [], size) => {
    const sum = which => classes.reduce((total, one) => total + (one[which] ?? 0), 0);
    const most = Math.max(1, ...classes.map(one => one.samples));
    render(tiles,
      tile(t('memory.bytes'), bytes(size), t('memory.bytesNote')),
      tile(t('memory.classes'), count(classes.length)),
      tile(t('memory.stored'), count(sum('stored')), t('memory.storedNote')),
      tile(t('memory.heldOut'), count(sum('heldOut')), t('memory.heldOutNote')));
    render(content, classes.length === 0 ? empty(t('memory.none')) : h('div', { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': t('memory.content'), 'data-key': 'memory' },
      h('table', { class: 'plain' },
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('memory.label')), h('th', { scope: 'col', class: 'grow' }, h('span', { class: 'unseen' }, t('memory.share'))),
          ['learnt', 'stored', 'heldOut'].map(which => h('th', { scope: 'col', class: 'number' }, t(`memory.${which}`))))),
        h('tbody', {}, classes.map(one => h('tr', {}, h('th', { scope: 'row' }, one.label), h('td', {}, meter(one.samples / most)),
          ['samples', 'stored', 'heldOut'].map(which => h('td', { class: 'number' }, count(one[which] ?? 0)))))))));
  });

  const drawExamples = whenChanged((pinned = []) => render(examples, pinned.length === 0 ? empty(t('memory.noExamples')) : h('ul', { class: 'lines' },
    pinned.map(example => h('li', {}, h('b', {}, example.label), h('code', {}, example.id), h('span', { class: 'note' }, moment(example.added)))))));

  return {
    update() {
      drawContent(feed.watch.memory, feed.description.memoryBytes);
      drawExamples(feed.examples);
    },
  };
}
