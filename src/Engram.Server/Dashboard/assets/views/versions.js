// The history of versions, and what a person can decide about each.
import { h, render, whenChanged } from '../dom.js';
import { bytes, count, duration, moment, percent, points, precise } from '../format.js';
import { named, t } from '../i18n.js';
import { badge, empty, stateBadge } from './parts.js';

const APPROVABLE = new Set(['staged', 'observed', 'shadow']);

export function versionsTab(body, feed, actions) {
  const open = new Set();
  const draw = whenChanged((versions = [], champion) => render(body,
    h('h2', { class: 'unseen' }, t('tabs.versions')),
    versions.length === 0 ? empty(t('versions.none')) : h('ol', { class: 'versions' }, versions.map(version => versionCard(version, versions, champion)))));

  function versionCard(version, versions, champion) {
    const { version: number, state, pinned, aliases = [], parent } = version;
    const before = versions.find(other => other.version === parent);
    const change = before && version.accuracy !== undefined && before.accuracy !== undefined ? version.accuracy - before.accuracy : undefined;
    return h('li', { class: `card version ${number === champion ? 'champion' : ''}` },
      h('div', { class: 'row between' },
        h('h3', { class: 'row' }, t('versions.version', { version: number }), stateBadge(state),
          aliases.filter(alias => alias !== 'champion' || state !== 'published').map(alias => badge('plain', alias)), pinned && badge('plain', t('versions.pinned'))),
        h('div', { class: 'row' }, buttons(version, champion))),
      version.reason && h('p', { class: 'reason' }, version.reason),
      h('dl', { class: 'facts' },
        fact(t('versions.accuracy'), percent(version.accuracy), change !== undefined && h('span', { class: change < 0 ? 'down' : 'up' }, ` ${points(change)}`)),
        fact(t('versions.calibration'), precise(version.calibrationError)),
        fact(t('versions.samples'), count(version.samples)),
        fact(t('versions.labels'), count(version.labels?.length ?? 0)),
        fact(t('versions.took'), duration(version.seconds)),
        fact(t('versions.created'), moment(version.created))),
      h('details', { open: open.has(number), ontoggle: event => event.target.open ? open.add(number) : open.delete(number) },
        h('summary', { 'data-key': `more-${number}`, 'aria-label': t('versions.moreOf', { version: number }) }, t('versions.more')),
        gate(version.checks),
        h('dl', { class: 'facts' },
          fact(t('versions.parent'), parent ? `v${parent}` : '–'),
          fact(t('versions.trigger'), named(`trigger.${version.trigger || 'none'}`)),
          fact(t('versions.published'), moment(version.published)),
          fact(t('versions.cursor'), count(version.cursor)),
          fact(t('versions.size'), bytes(version.bytes))),
        version.labels?.length > 0 && h('p', { class: 'hint wrap' }, t('versions.knows', { labels: version.labels.join(', ') }))));
  }

  function buttons({ version: number, state, pinned }, champion) {
    const button = (action, kind = '') => h('button', {
      type: 'button', class: `button small ${kind}`, 'data-key': `${action}-${number}`, 'aria-label': t(`action.${action}.of`, { version: number }), onclick: () => actions[action](number),
    }, t(`action.${action}`));
    return [
      APPROVABLE.has(state) && button('approve', 'primary'),
      state === 'staged' && button('reject', 'danger'),
      state === 'retired' && number !== champion && button('rollback'),
      button(pinned ? 'unpin' : 'pin', 'quiet'),
    ];
  }

  return { update: () => draw(feed.versions, feed.description.champion) };
}

const fact = (name, ...value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));

function gate(checks = []) {
  if (checks.length === 0) return null;
  return h('ul', { class: 'checks', 'aria-label': t('versions.gate') }, checks.map(check => h('li', {},
    badge(check.passed ? 'good' : 'bad', t(check.passed ? 'versions.passed' : 'versions.failed')), h('b', {}, named(`check.${check.name}`)), h('span', {}, check.reason))));
}
