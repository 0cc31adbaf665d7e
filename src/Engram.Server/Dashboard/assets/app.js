// Starts the page, draws its top bar, and shows the view that the address names.
import { Problem, get, key } from './api.js';
import { h, render } from './dom.js';
import { choose, language, other, t } from './i18n.js';
import { isDark, toggleTheme } from './themes.js';
import { learnersView } from './views/learners.js';
import { learnerView } from './views/learner.js';
import { signInView } from './views/signin.js';

const main = document.getElementById('main');
let view;
let shown;
let keyNeeded = true;

/** #/learners/{name}/{tab} or nothing, which is the list. */
function route() {
  const [place, name, tab] = location.hash.replace(/^#\//, '').split('/').map(decodeURIComponent);
  return place === 'learners' && name ? { name, tab: tab || 'overview' } : {};
}

async function show({ again = false } = {}) {
  const { name, tab } = route();
  if (!again && view?.go && shown === name) { // within a learner only the tab changes
    view.go(tab);
    main.dataset.view = location.hash;
    return;
  }
  const moved = shown !== undefined || again;
  view?.dispose?.();
  shown = name ?? '';
  try {
    const learners = await get('/v1/learners');
    keyNeeded = Boolean(key.get());
    view = name ? learnerView(main, { name, tab, leave: signOut }) : learnersView(main, learners);
    title(name);
  } catch (problem) {
    const refused = problem instanceof Problem && problem.status === 401;
    view = signInView(main, { problem: refused && !key.get() ? undefined : problem, onKey: () => show({ again: true }) });
    title();
  }
  bar();
  main.dataset.view = location.hash;
  if (moved) main.focus({ preventScroll: true });
}

function title(name) {
  document.title = name ? `${name} · Engram` : 'Engram';
}

function signOut() {
  key.clear();
  location.hash = '';
  show({ again: true });
}

function bar() {
  const dark = isDark();
  render(document.getElementById('bar'),
    h('a', { class: 'brand', href: '#/', 'data-key': 'brand' }, h('img', { src: '/assets/icon.svg', alt: '', width: 28, height: 28 }), h('span', {}, 'Engram')),
    h('nav', { class: 'row', 'aria-label': t('bar.label') },
      h('a', { class: 'button quiet wide-only', href: '/docs', 'data-key': 'docs' }, t('bar.docs')),
      h('button', { type: 'button', class: 'button quiet', 'data-key': 'language', lang: other() === 'zh' ? 'zh-CN' : 'en', onclick: changeLanguage },
        other() === 'zh' ? '中文' : 'English'),
      h('button', { type: 'button', class: 'button quiet', 'data-key': 'theme', 'aria-label': t(dark ? 'bar.light' : 'bar.dark'), onclick: () => { toggleTheme(); bar(); } },
        h('span', { 'aria-hidden': 'true' }, dark ? '☀' : '☾')),
      key.get() && keyNeeded && h('button', { type: 'button', class: 'button quiet', 'data-key': 'out', onclick: signOut }, t('bar.out'))));
}

function changeLanguage() {
  choose(other());
  words();
  show({ again: true });
}

function words() {
  document.documentElement.lang = language();
  document.getElementById('skip').textContent = t('bar.skip');
}

document.getElementById('skip').addEventListener('click', event => {
  event.preventDefault(); // the address names a view, not a place in it
  main.focus();
});
addEventListener('hashchange', () => show());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', bar);
words();
bar();
show();
