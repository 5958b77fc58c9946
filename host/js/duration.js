const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a number of them or of a text such as `1m30s`. */
export function milliseconds(duration) {
  if (typeof duration === "number" && duration >= 0 && Number.isFinite(duration)) return duration;
  const text = typeof duration === "string" ? duration.replace(/^\+/, "") : "";
  if (!/^(\d+(ms|s|m|h|d))+$/.test(text)) {
    throw new RangeError(`no duration: ${duration}; expected milliseconds or a text such as "1m30s"`);
  }
  return [...text.matchAll(/(\d+)(ms|s|m|h|d)/g)].reduce((sum, [, count, unit]) => sum + count * UNITS[unit], 0);
}
