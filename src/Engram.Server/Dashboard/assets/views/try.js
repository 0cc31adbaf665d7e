// Asks the learner for a prediction, and tells it the truth.
import { learnerPath, post } from '../api.js';
import { h, render } from '../dom.js';
import { percent } from '../format.js';
import { meter } from '../charts/meter.js';
import { t } from '../i18n.js';
import { inputField } from './inputs.js';
import { badge, card } from './parts.js';

export function tryTab(body, feed) {
  const path = learnerPath(feed.name);
  const answer = h('div', { class: 'answer', 'aria-live': 'polite' });
  let field;

  async function predict(event) {
    event.preventDefault();
    try {
      const input = await field.read();
      show(await post(`${path}/predictions`, { input, alternatives: Math.min(4, Math.max(0, (feed.description.labels?.length ?? 1) - 1)) }));
    } catch (problem) {
      render(answer, h('p', { class: 'notice bad', role: 'alert' }, problem.message));
    }
  }

  function show(prediction) {
    const { label, probability, unknown, version, predictionId, alternatives = [] } = prediction;
    const label_ = h('input', { id: 'truth', list: 'known', required: true, autocomplete: 'off', 'data-key': 'truth' });
    const said = h('p', { class: 'hint', 'aria-live': 'polite' });

    async function teach(truth) {
      try {
        const receipt = await post(`${path}/feedback`, { predictionId, label: truth });
        said.textContent = t('try.thanks', { label: truth, sequence: receipt.sequence });
      } catch (problem) {
        said.textContent = problem.message;
      }
    }

    render(answer,
      h('div', { class: 'row' }, h('strong', { class: 'label' }, label), unknown ? badge('warn', t('try.unknown')) : null, badge('plain', `v${version}`)),
      unknown && h('p', { class: 'hint' }, t('try.unknownExplained')),
      h('ul', { class: 'bars' }, [{ label, probability }, ...alternatives].map(each => h('li', {},
        h('span', { class: 'name clip', title: each.label }, each.label), meter(each.probability), h('span', { class: 'number' }, percent(each.probability))))),
      h('form', { class: 'teach', onsubmit: event => { event.preventDefault(); teach(label_.value.trim()); } },
        h('h3', {}, t('try.teach')),
        h('div', { class: 'row' },
          h('button', { type: 'button', class: 'button', 'data-key': 'right', onclick: () => teach(label) }, t('try.right', { label })),
          h('label', { for: 'truth', class: 'inline' }, t('try.wrong')), label_,
          h('datalist', { id: 'known' }, (feed.description.labels ?? []).map(known => h('option', { value: known }))),
          h('button', { type: 'submit', class: 'button' }, t('try.send'))),
        said));
  }

  return {
    update() {
      if (field) return; // an input that is being made must not be drawn anew
      field = inputField(feed.description.specification.input);
      render(answer, h('p', { class: 'hint' }, t('try.nothing')));
      body.append(h('div', { class: 'columns' },
        card(t('try.input'), h('form', { onsubmit: predict }, field.element, h('div', { class: 'row' }, h('button', { type: 'submit', class: 'button primary', 'data-key': 'predict' }, t('try.predict'))))),
        card(t('try.answer'), answer)));
    },
  };
}
