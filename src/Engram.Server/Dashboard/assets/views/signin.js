// Asks for the key, which stays in this tab's session.
import { key } from '../api.js';
import { h, render } from '../dom.js';
import { t } from '../i18n.js';

export function signInView(main, { problem, onKey }) {
  const field = h('input', { id: 'key', type: 'password', autocomplete: 'off', spellcheck: 'false', required: true, 'aria-describedby': 'key-hint' });
  const refusal = problem && (problem.status === 401 ? t('signin.refused') : problem.status ? problem.message : t('signin.unreachable'));
  render(main,
    h('form', {
      class: 'card signin',
      onsubmit: event => {
        event.preventDefault();
        key.set(field.value.trim());
        onKey();
      },
    },
    h('h1', {}, t('signin.title')),
    h('p', { class: 'hint' }, t('signin.text')),
    refusal && h('p', { class: 'notice bad', role: 'alert' }, refusal),
    h('label', { for: 'key' }, t('signin.key')),
    field,
    h('p', { class: 'hint', id: 'key-hint' }, t('signin.hint')),
    h('button', { type: 'submit', class: 'button primary' }, t('signin.enter'))));
  return {};
}
