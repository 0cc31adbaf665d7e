// An image: drawn by pointer, or from a file; either becomes exactly the pixels that the learner reads.
import { h } from '../dom.js';
import { t } from '../i18n.js';

const DRAWN = 280;

export function imageField({ channels = 1, height, width }) {
  const canvas = h('canvas', { class: 'drawing', width: DRAWN, height: Math.round(DRAWN * height / width), role: 'img', 'aria-label': t('image.canvas') });
  const file = h('input', { id: 'file', type: 'file', accept: 'image/png,image/jpeg' });
  const seen = h('canvas', { class: 'seen', width, height, role: 'img', 'aria-label': t('image.seen') });
  const ink = canvas.getContext('2d', { willReadFrequently: true });
  let source = 'none';
  clear();

  canvas.addEventListener('pointerdown', event => {
    canvas.setPointerCapture(event.pointerId);
    if (source !== 'drawing') clear();
    source = 'drawing';
    stroke(event, true);
  });
  canvas.addEventListener('pointermove', event => event.buttons > 0 && stroke(event, false));
  canvas.addEventListener('pointerup', show);
  file.addEventListener('change', async () => {
    if (!file.files[0]) return;
    try {
      const image = await createImageBitmap(file.files[0]);
      clear();
      ink.drawImage(image, 0, 0, canvas.width, canvas.height);
      source = 'file';
      show();
    } catch {
      file.setCustomValidity(t('image.unreadable'));
      file.reportValidity();
      file.setCustomValidity('');
    }
  });

  function clear() {
    source = 'none';
    ink.fillStyle = '#000';
    ink.fillRect(0, 0, canvas.width, canvas.height);
    show();
  }

  function stroke(event, begins) {
    const box = canvas.getBoundingClientRect();
    const at = [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
    if (begins) {
      ink.beginPath();
      ink.moveTo(...at);
    }
    Object.assign(ink, { strokeStyle: '#fff', lineWidth: DRAWN / 13, lineCap: 'round', lineJoin: 'round' });
    ink.lineTo(...at);
    ink.stroke();
  }

  function show() {
    seen.getContext('2d').putImageData(scaled(), 0, 0);
  }

  // Digits are centred as MNIST's are: within 20 × 20 by their box, then by their centre of mass.
  function scaled() {
    const small = h('canvas', { width, height });
    const target = small.getContext('2d', { willReadFrequently: true });
    Object.assign(target, { fillStyle: '#000', imageSmoothingQuality: 'high' });
    target.fillRect(0, 0, width, height);
    const box = source === 'drawing' && width === 28 && height === 28 && inkBox();
    if (!box) {
      target.drawImage(canvas, 0, 0, width, height);
    } else {
      const factor = 20 / Math.max(box.width, box.height);
      target.drawImage(canvas, box.left, box.top, box.width, box.height, 14 - box.x * factor, 14 - box.y * factor, box.width * factor, box.height * factor);
    }
    return target.getImageData(0, 0, width, height);
  }

  function inkBox() {
    const { data } = ink.getImageData(0, 0, canvas.width, canvas.height);
    let [left, top, right, bottom, mass, mx, my] = [Infinity, Infinity, -1, -1, 0, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
      if (data[i] === 0) continue;
      const [x, y] = [i / 4 % canvas.width, Math.floor(i / 4 / canvas.width)];
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
      mass += data[i];
      mx += x * data[i];
      my += y * data[i];
    }
    return mass > 0 && { left, top, width: right - left + 1, height: bottom - top + 1, x: mx / mass - left, y: my / mass - top };
  }

  return {
    element: [
      h('p', { class: 'hint' }, t('image.hint', { width, height })),
      h('div', { class: 'row top' }, canvas, h('div', {}, h('p', { class: 'note' }, t('image.seen')), seen)),
      h('p', {}, h('button', { type: 'button', class: 'button small quiet', 'data-key': 'clear', onclick: clear }, t('image.clear'))),
      h('label', { for: 'file' }, t('image.file')), file,
    ],
    read() {
      if (source === 'none') throw new Error(t('image.nothing'));
      const { data } = scaled();
      const plane = width * height;
      const pixels = new Uint8Array(channels * plane);
      for (let i = 0; i < plane; i++) {
        const [r, g, b] = data.subarray(4 * i);
        if (channels === 1) pixels[i] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
        else [pixels[i], pixels[plane + i], pixels[2 * plane + i]] = [r, g, b];
      }
      return { pixels: base64(pixels) };
    },
  };
}

function base64(bytes) {
  let text = '';
  // An argument per byte: too many at once would overflow the stack.
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}
