// How well what was learnt is kept: accuracy and forgetting over versions, and class by class.
import { lineChart } from '../charts/lines.js';
import { accuracyMatrix } from '../charts/matrix.js';
import { h, render, whenChanged } from '../dom.js';
import { count, percent } from '../format.js';
import { t } from '../i18n.js';
import { card, empty } from './parts.js';
import { meter } from '../charts/meter.js';

export function accuracyTab(body, feed) {
  const chart = lineChart({ label: t('accuracy.chart'), x: version => `v${version}`, y: value => percent(value, 0), max: 1, ceiling: 1, points: true });
  const matrix = h('div', {});
  const live = h('div', {});
  body.append(
    card(t('accuracy.chart'), h('p', { class: 'hint' }, t('accuracy.explained')), chart.element),
    card(t('accuracy.matrix'), matrix),
    card(t('accuracy.live'), h('p', { class: 'hint' }, t('accuracy.liveExplained')), live));

  const drawHeldOut = whenChanged(accuracy => {
    const versions = accuracy?.versions ?? [];
    chart.update(['mean', 'forgetting'].map(which => ({ name: t(`accuracy.${which}`), values: versions.map((version, i) => ({ x: version, y: accuracy[which][i] })) })));
    render(matrix, versions.length === 0 ? empty(t('accuracy.none')) : accuracyMatrix(accuracy));
  });

  const drawLive = whenChanged((performance = []) => render(live, performance.length === 0
    ? empty(t('accuracy.noTruth'))
    : h('ul', { class: 'bars' }, performance.map(({ version, labelled, accuracy }) => h('li', {},
      h('span', { class: 'name' }, `v${version}`), meter(accuracy ?? 0), h('span', { class: 'number' }, percent(accuracy)),
      h('span', { class: 'note' }, t('overview.labelled', { count: count(labelled) })))))));

  return {
    update() {
      drawHeldOut(feed.accuracy);
      drawLive(feed.watch.performance);
    },
    dispose: chart.dispose,
  };
}
