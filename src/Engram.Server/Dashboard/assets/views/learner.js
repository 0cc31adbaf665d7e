// One learner: its head, with what it does now and what can be done, and a tab below.
import { actionsOn } from '../actions.js';
import { h, render, whenChanged } from '../dom.js';
import { LearnerFeed } from '../feed.js';
import { percent } from '../format.js';
import { t } from '../i18n.js';
import { meter } from '../charts/meter.js';
import { accuracyTab } from './accuracy.js';
import { driftTab } from './drift.js';
import { memoryTab } from './memory.js';
import { overviewTab } from './overview.js';
import { activityBadge, badge, driftSummary, empty } from './parts.js';
import { tryTab } from './try.js';
import { versionsTab } from './versions.js';

const TABS = { overview: overviewTab, accuracy: accuracyTab, versions: versionsTab, drift: driftTab, memory: memoryTab, try: tryTab };

export function learnerView(main, { name, tab, leave }) {
  const feed = new LearnerFeed(name);
  const actions = actionsOn(feed);
  const [head, nav, body] = [h('div', { class: 'head' }), h('nav', { class: 'tabs', 'aria-label': t('tabs.label') }), h('div', { class: 'body' })];
  let current = tab in TABS ? tab : 'overview';
  let shown;
  render(main, head, nav, body);

  const drawHead = whenChanged((description, live, drift, error) => {
    if (!description) {
      return render(head, h('h1', {}, name), error && h('p', { class: 'notice bad', role: 'alert' }, error));
    }
    const { specification, activity, progress, champion, lastError } = description;
    const busy = activity === 'learning' || activity === 'examining';
    render(head,
      h('p', { class: 'crumbs' }, h('a', { href: '#/', 'data-key': 'crumb' }, t('learners.title'))),
      h('div', { class: 'row between top' },
        h('div', { class: 'grow' },
          h('h1', {}, name),
          specification.description && h('p', { class: 'lead' }, specification.description),
          h('div', { class: 'row' },
            activityBadge(activity),
            champion ? badge('plain', t('head.champion', { version: champion })) : badge('warn', t('learners.noVersion')),
            badge(drift.kind, drift.text),
            badge('plain', t(`gate.${specification.gate?.mode ?? 'automatic'}`)),
            h('span', { class: `live ${live ? 'on' : ''}` }, t(live ? 'head.live' : 'head.connecting')))),
        h('div', { class: 'row' },
          h('button', { type: 'button', class: 'button primary', 'data-key': 'learn', disabled: busy, onclick: actions.learn }, t('action.learn')),
          activity === 'paused'
            ? h('button', { type: 'button', class: 'button', 'data-key': 'pause', onclick: actions.resume }, t('action.resume'))
            : h('button', { type: 'button', class: 'button', 'data-key': 'pause', onclick: actions.pause }, t('action.pause')))),
      busy && h('div', { class: 'progress' }, h('span', {}, t(`activity.${activity}`), ' ', percent(progress ?? 0, 0)), meter(progress ?? 0)),
      error && h('p', { class: 'notice bad', role: 'alert' }, error),
      lastError && h('p', { class: 'notice bad' }, t('head.lastError', { error: lastError })));
  });

  function drawNav() {
    const staged = feed.versions?.filter(version => version.state === 'staged').length ?? 0;
    render(nav, Object.keys(TABS).map(each => h('a', {
      href: `#/learners/${encodeURIComponent(name)}/${each}`, 'data-key': `tab-${each}`, 'aria-current': each === current ? 'page' : null,
    }, t(`tabs.${each}`), each === 'versions' && staged > 0 && h('span', { class: 'count', title: t('tabs.staged', { count: staged }) }, staged))));
  }

  function open() {
    shown?.dispose?.();
    body.replaceChildren();
    shown = TABS[current](body, feed, actions);
    if (feed.description) shown.update();
    else render(body, empty(t('loading')));
    drawNav();
  }

  const drawNavIfChanged = whenChanged(drawNav);
  function changed() {
    if (feed.error?.status === 401) return leave();
    const first = feed.description && body.querySelector(':scope > .empty');
    drawHead(feed.description, feed.live, driftSummary(feed.watch?.drift), feed.error?.message);
    drawNavIfChanged(feed.versions?.map(version => version.state));
    if (first) open();
    else if (feed.description) shown?.update();
  }

  feed.addEventListener('change', changed);
  changed();
  open();
  feed.start();
  return {
    go(next) {
      current = next in TABS ? next : 'overview';
      open();
    },
    dispose() {
      shown?.dispose?.();
      feed.stop();
    },
  };
}
