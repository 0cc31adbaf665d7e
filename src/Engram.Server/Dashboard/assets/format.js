// Numbers, shares, times and sizes as people read them, in the language chosen.
import { language, t } from './i18n.js';

const none = '–';
const known = value => value !== null && value !== undefined && Number.isFinite(value);

export const count = value => known(value) ? new Intl.NumberFormat(language(), { maximumFractionDigits: 0 }).format(value) : none;

export const short = value =>
  known(value) ? new Intl.NumberFormat(language(), { notation: value >= 10000 ? 'compact' : 'standard', maximumFractionDigits: value >= 100 ? 0 : 1 }).format(value) : none;

export const percent = (value, digits = 1) =>
  known(value) ? new Intl.NumberFormat(language(), { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value) : none;

/** A difference of shares, in percentage points. */
export const points = value => known(value)
  ? t('points', { value: new Intl.NumberFormat(language(), { signDisplay: 'exceptZero', minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(100 * value) })
  : none;

export const precise = value => known(value) ? new Intl.NumberFormat(language(), { maximumSignificantDigits: 3 }).format(value) : none;

export const milliseconds = value => {
  if (!known(value)) return none;
  return value >= 1000 ? `${precise(value / 1000)} s` : `${precise(value)} ms`;
};

export function bytes(value) {
  if (!known(value)) return none;
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${precise(value)} ${units[unit]}`;
}

const steps = [['second', 60], ['minute', 60], ['hour', 24], ['day', Infinity]];

/** A length of time in its largest unit: "3 min". */
export function duration(seconds) {
  if (!known(seconds)) return none;
  let value = seconds;
  for (const [unit, size] of steps) {
    if (value < size) {
      return new Intl.NumberFormat(language(), { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
    }
    value /= size;
  }
}

/** How long ago: "3 min ago". */
export const ago = time => t('time.ago', { time: duration(Math.max(0, (Date.now() - new Date(time)) / 1000)) });

export const clock = time => new Intl.DateTimeFormat(language(), { timeStyle: 'medium', hourCycle: 'h23' }).format(new Date(time));

export const moment = time =>
  time ? new Intl.DateTimeFormat(language(), { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' }).format(new Date(time)) : none;
