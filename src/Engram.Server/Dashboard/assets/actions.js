// Changes to a learner: each is confirmed, with a reason for the audit log, and its outcome is said.
import { call, learnerPath, post, remove } from './api.js';
import { confirm } from './dialog.js';
import { t } from './i18n.js';
import { toast } from './toast.js';

/** The actions on one learner; each asks, acts, says how it went, and brings the feed up to date. */
export function actionsOn(feed) {
  const path = learnerPath(feed.name);

  async function act(action, values, { reason, danger = false }, run) {
    const answer = await confirm({
      title: t(`action.${action}.title`, values), text: t(`action.${action}.text`, values), verb: t(`action.${action}`, values), reason, danger,
    });
    if (!answer) return;
    try {
      await run(answer.reason || null);
      toast(t(`action.${action}.done`, values));
    } catch (problem) {
      toast(problem.message, 'bad');
    }
    await feed.refresh();
  }

  const version = (action, options) => number =>
    act(action, { version: number }, options, reason => post(`${path}/versions/${number}/${action}`, { reason }));

  return {
    approve: version('approve', { reason: 'required' }),
    reject: version('reject', { reason: 'required', danger: true }),
    pin: version('pin', { reason: 'optional' }),
    unpin: number => act('unpin', { version: number }, { reason: 'optional' }, reason =>
      remove(`${path}/versions/${number}/pin${reason ? `?reason=${encodeURIComponent(reason)}` : ''}`)),
    rollback: number => act('rollback', { version: number }, { reason: 'required', danger: true }, reason =>
      post(`${path}/rollback`, { version: number, reason })),
    pause: () => act('pause', {}, { reason: 'optional' }, reason => post(`${path}/pause`, { reason })),
    resume: () => act('resume', {}, { reason: 'optional' }, reason => post(`${path}/resume`, { reason })),
    async learn() {
      toast(t('action.learn.started'));
      try {
        const learnt = await call(`${path}/learn`, { method: 'POST' });
        toast(learnt ? t('action.learn.done', { version: learnt.version, state: t(`state.${learnt.state}`) }) : t('action.learn.nothing'));
      } catch (problem) {
        toast(problem.message, 'bad');
      }
      await feed.refresh();
    },
  };
}
