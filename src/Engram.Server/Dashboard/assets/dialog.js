// Asks before a change is made. The browser's own dialog keeps the focus inside, closes on Escape and gives the focus back.
import { h } from './dom.js';
import { t } from './i18n.js';

/** Resolves to { reason } when confirmed, to null when not. */
export function confirm({ title, text, verb, reason, danger }) {
  const field = h('textarea', { id: 'reason', rows: 3, maxlength: 1000, required: reason === 'required', 'aria-describedby': 'reason-hint' });
  const form = h('form', { method: 'dialog' },
    h('h2', { id: 'dialog-title' }, title),
    h('p', { id: 'dialog-text' }, text),
    h('label', { for: 'reason' }, t(reason === 'required' ? 'dialog.reason' : 'dialog.reasonOptional')),
    field,
    h('p', { id: 'reason-hint', class: 'hint' }, t('dialog.audit')),
    h('div', { class: 'row end' },
      h('button', { type: 'button', class: 'button quiet', value: 'cancel', onclick: () => dialog.close() }, t('dialog.cancel')),
      h('button', { type: 'submit', class: `button ${danger ? 'danger' : 'primary'}`, value: 'confirm' }, verb)));
  const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': 'dialog-title', 'aria-describedby': 'dialog-text' }, form);
  document.body.append(dialog);
  const opener = document.activeElement?.dataset.key;
  dialog.showModal();
  field.focus();
  return new Promise(resolve => dialog.addEventListener('close', () => {
    resolve(dialog.returnValue === 'confirm' ? { reason: field.value.trim() } : null);
    dialog.remove();
    // The opener may have been drawn anew meanwhile.
    if (opener) document.querySelector(`[data-key="${CSS.escape(opener)}"]`)?.focus();
  }, { once: true }));
}
