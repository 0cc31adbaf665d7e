// Round numbers that span a range.

/** At most `most` + 1 numbers, 1, 2 or 5 times a power of ten apart, from `low` to at least `high`. */
export function ticks(low, high, most) {
  const span = high - low || 1;
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= rough * 0.999);
  const count = Math.ceil((high - low) / step - 1e-9) || 1;
  return Array.from({ length: count + 1 }, (_, i) => Number((low + i * step).toPrecision(12)));
}
