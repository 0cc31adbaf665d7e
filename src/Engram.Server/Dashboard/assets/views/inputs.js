// A form field for each kind of input; read() gives what the API takes, or throws what is wrong in words.
import { h } from '../dom.js';
import { t } from '../i18n.js';
import { imageField } from './images.js';

/** The field for a learner's input schema. */
export function inputField(schema) {
  switch (schema.kind) {
    case 'image': return imageField(schema);
    case 'text': return textField();
    case 'tabular': return tableField(schema.columns ?? []);
    default: return vectorField(schema.size);
  }
}

function textField() {
  const field = h('textarea', { id: 'input', rows: 6, required: true, placeholder: t('input.textHint') });
  return { element: [h('label', { for: 'input' }, t('input.text')), field], read: () => field.value };
}

function vectorField(size) {
  const field = h('textarea', { id: 'input', rows: 8, required: true, spellcheck: 'false', class: 'code', 'aria-describedby': 'input-hint' });
  const random = () => { field.value = Array.from({ length: size }, () => (Math.random() * 2 - 1).toFixed(3)).join(', '); };
  return {
    element: [
      h('label', { for: 'input' }, t('input.vector')), field,
      h('p', { class: 'hint', id: 'input-hint' }, t('input.vectorHint', { size })),
      h('p', {}, h('button', { type: 'button', class: 'button small quiet', onclick: random }, t('input.random'))),
    ],
    read() {
      const numbers = field.value.split(/[\s,;[\]]+/).filter(Boolean).map(Number);
      if (numbers.some(Number.isNaN)) throw new Error(t('input.notNumbers'));
      if (numbers.length !== size) throw new Error(t('input.wrongSize', { size, found: numbers.length }));
      return numbers;
    },
  };
}

function tableField(columns) {
  const fields = columns.map((column, i) => {
    const numeric = (column.kind ?? 'numeric') === 'numeric';
    const list = !numeric && column.values?.length > 0 ? `values-${i}` : null;
    const field = h('input', { id: `column-${i}`, ...numeric ? { type: 'number', step: 'any' } : { type: 'text', list } });
    return { column, numeric, field, element: h('div', { class: 'field' }, h('label', { for: `column-${i}` }, column.name), field, list && h('datalist', { id: list }, column.values.map(value => h('option', { value })))) };
  });
  return {
    element: [h('p', { class: 'hint' }, t('input.tableHint')), h('div', { class: 'fields' }, fields.map(field => field.element))],
    read: () => Object.fromEntries(fields.filter(({ field }) => field.value !== '').map(({ column, numeric, field }) => [column.name, numeric ? Number(field.value) : field.value])),
  };
}
