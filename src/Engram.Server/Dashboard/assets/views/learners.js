// All learners that the key reaches.
import { get, learnerPath } from '../api.js';
import { h, render, whenChanged } from '../dom.js';
import { ago, count, percent, short } from '../format.js';
import { t } from '../i18n.js';
import { activityBadge, badge, driftSummary, empty } from './parts.js';

const EVERY = 4000;
const WATCHED = 50; // more would be many requests for what nobody can see at once

export function learnersView(main, first) {
  const list = h('div', {});
  const abort = new AbortController();
  let timer;
  render(main, h('div', { class: 'head' }, h('h1', {}, t('learners.title')), h('p', { class: 'lead' }, t('learners.lead'))), list);

  const draw = whenChanged(rows => render(list, rows.length === 0
    ? empty(t('learners.none'), h('pre', {}, h('code', {}, example())))
    : h('ul', { class: 'learners' }, rows.map(learnerCard))));

  async function poll(learners) {
    try {
      learners ??= await get('/v1/learners', abort.signal);
      const watches = await Promise.all(learners.slice(0, WATCHED).map(learner =>
        get(`${learnerPath(learner.specification.name)}/watch`, abort.signal).catch(() => undefined)));
      draw(learners.map((learner, i) => ({ learner, watch: watches[i] })));
    } catch { /* the next try may reach it */ }
    if (!abort.signal.aborted) timer = setTimeout(() => document.hidden ? poll(learners) : poll(), EVERY);
  }

  draw(first.map(learner => ({ learner })));
  poll(first);
  return {
    dispose() {
      clearTimeout(timer);
      abort.abort();
    },
  };
}

function learnerCard({ learner, watch }) {
  const { specification: { name, description, input, model }, activity, champion, labels = [], feedback } = learner;
  const live = watch?.performance?.find(one => one.version === champion);
  const drift = watch && driftSummary(watch.drift);
  return h('li', { class: 'card learner' },
    h('div', { class: 'row between' },
      h('h2', {}, h('a', { href: `#/learners/${encodeURIComponent(name)}`, 'data-key': `learner-${name}`, class: 'cover' }, name)),
      activityBadge(activity)),
    h('p', { class: 'hint' }, description || t('learners.kind', { input: t(`input.${input.kind}`), model: model.kind })),
    h('dl', { class: 'facts' },
      fact(t('learners.version'), champion ? `v${champion}` : '–'),
      fact(t('learners.classes'), count(labels.length)),
      fact(t('learners.rate'), watch ? short(watch.predictions.perSecond) : '–'),
      fact(t('learners.accuracy'), percent(live?.accuracy)),
      fact(t('learners.waiting'), count(feedback.waiting ?? 0), feedback.oldestWaiting && ago(feedback.oldestWaiting))),
    h('div', { class: 'row' },
      drift && badge(drift.kind, drift.text),
      learner.lastError && badge('bad', t('learners.failed'))));
}

const fact = (name, value, note) => h('div', {}, h('dt', {}, name), h('dd', {}, value, note && h('span', { class: 'note' }, ` ${note}`)));

const example = () => [
  `curl -X POST ${location.origin}/v1/learners \\`,
  '  -H "Authorization: Bearer $ENGRAM_KEY" -H "Content-Type: application/json" \\',
  '  -d \'{"name": "tickets", "input": {"kind": "text"}}\'',
].join('\n');
