// The two languages. A text that is missing is an error, which the browser tests see.
import { en } from './i18n/en.js';
import { zh } from './i18n/zh.js';

const STORED = 'engram.language';
const texts = { en, zh };
const chosen = localStorage.getItem(STORED);
let current = chosen in texts ? chosen : navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';

export const language = () => current === 'zh' ? 'zh-CN' : 'en';

export function choose(next) {
  current = next;
  localStorage.setItem(STORED, next);
  document.documentElement.lang = language();
}

export const other = () => current === 'zh' ? 'en' : 'zh';

/** The text of a key, with {names} filled in. */
export function t(key, values = {}) {
  const text = texts[current][key];
  if (text === undefined) {
    console.error(`no text for ${key} in ${current}`);
    return key;
  }
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

/** The text of a key that the service may have added since; its last part where there is none. */
export const named = key => key in texts[current] ? t(key) : key.slice(key.lastIndexOf('.') + 1);
