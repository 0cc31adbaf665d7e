// How a learner is doing right now.
import { lineChart } from '../charts/lines.js';
import { stack } from '../charts/meter.js';
import { spark } from '../charts/spark.js';
import { h, render, whenChanged } from '../dom.js';
import { ago, clock, count, duration, milliseconds, percent, points, short } from '../format.js';
import { named, t } from '../i18n.js';
import { badge, card, empty, tile } from './parts.js';

const EVENT_KINDS = { published: 'good', staged: 'warn', refused: 'bad', failed: 'bad', drift: 'warn', 'rolled-back': 'warn', paused: 'warn' };

export function overviewTab(body, feed) {
  const tiles = h('dl', { class: 'tiles' });
  const queue = h('div', {});
  const happened = h('div', {});
  const rate = lineChart({ label: t('overview.rate'), x: clock, y: short, max: 1, area: true });
  const latency = lineChart({ label: t('overview.latency'), x: clock, y: milliseconds, max: 1 });
  body.append(tiles,
    h('div', { class: 'columns' }, card(t('overview.rate'), rate.element), card(t('overview.latency'), latency.element)),
    h('div', { class: 'columns' }, card(t('overview.queue'), queue), card(t('overview.events'), happened)));

  const drawTiles = whenChanged(() => {
    const { description: { champion, feedback, activity }, watch } = feed;
    const { perSecond, p50Ms, p99Ms, total } = watch.predictions;
    const live = watch.performance?.find(one => one.version === champion);
    const before = watch.performance?.find(one => one.version !== champion && one.accuracy !== undefined);
    const change = live?.accuracy !== undefined && before ? t('overview.change', { points: points(live.accuracy - before.accuracy), version: before.version }) : undefined;
    render(tiles,
      tile(t('overview.perSecond'), short(perSecond), t('overview.total', { count: short(total) }), spark(feed.history.map(point => point.perSecond), t('overview.rate'))),
      tile(t('overview.p99'), milliseconds(p99Ms), t('overview.p50', { time: milliseconds(p50Ms) })),
      tile(t('overview.accuracy'), percent(live?.accuracy), change ?? t('overview.labelled', { count: count(live?.labelled ?? 0) })),
      tile(t('overview.unknown'), percent(watch.unknownShare), t('overview.lastMinute')),
      tile(t('overview.waiting'), count(feedback.waiting ?? 0), feedback.oldestWaiting ? t('overview.oldest', { time: ago(feedback.oldestWaiting) }) : named(`activity.${activity}`)),
      tile(t('overview.staleness'), duration(watch.stalenessSeconds), t('overview.delay', { median: duration(watch.labelDelayMedian), p90: duration(watch.labelDelayP90) })));
  });

  const drawQueue = whenChanged(({ lastSequence = 0, learntUpTo = 0, waiting = 0, heldOut = 0, withoutPrediction = 0 }) => {
    const learnt = Math.max(0, lastSequence - waiting - heldOut - withoutPrediction);
    const parts = [['learnt', learnt, 's1'], ['waiting', waiting, 's2'], ['heldOut', heldOut, 's3'], ['withoutPrediction', withoutPrediction, 's4']];
    render(queue, stack(parts.map(([, value, kind]) => ({ value, kind }))),
      h('dl', { class: 'parts' }, parts.map(([name, value, kind]) =>
        h('div', {}, h('dt', { class: `key ${kind}` }, t(`queue.${name}`)), h('dd', {}, count(value))))),
      h('p', { class: 'hint' }, t('queue.cursor', { last: count(lastSequence), learnt: count(learntUpTo) })));
  });

  const drawEvents = whenChanged(all => render(happened, all.length === 0
    ? empty(t('events.none'))
    : h('ol', { class: 'events', role: 'log', 'aria-label': t('overview.events'), tabindex: 0, 'data-key': 'events' }, all.map(event => h('li', {},
      h('time', { datetime: event.at, title: event.at }, clock(event.at)),
      badge(EVENT_KINDS[event.type] ?? 'plain', named(`event.${event.type}`)),
      h('span', {}, event.version !== undefined && h('b', {}, `v${event.version} `), event.message))))));

  return {
    update() {
      const { history, watch, description, events } = feed;
      drawTiles(watch, description, history.length);
      drawQueue(description.feedback);
      drawEvents(events);
      rate.update([{ name: t('overview.perSecond'), values: history.map(point => ({ x: point.at, y: point.perSecond })) }]);
      latency.update(['p50', 'p99'].map(which => ({ name: which, values: history.map(point => ({ x: point.at, y: point[`${which}Ms`] })) })));
    },
    dispose() {
      rate.dispose();
      latency.dispose();
    },
  };
}
