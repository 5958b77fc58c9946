// The time that an instance is at.
import { kindOf, tagOf } from "./options.js";

/** In milliseconds since 1970: the component counts from there, and a `Date` holds no later time. */
export const LAST = 8.64e15;

const isTime = (value) => typeof value === "number" || tagOf(value) === "Date";
const isWithin = (ms) => ms >= 0 && ms <= LAST;

/** Whether a value can be the option `clock`. */
export const isClock = (value) => typeof value === "function" || (isTime(value) && isWithin(Number(value)));

/**
 * Whole milliseconds since 1970 by a clock, which is `ahead` by some.
 *
 * @throws {RangeError} for a time that a `Date` cannot hold, or before 1970.
 */
export function timeBy(clock, ahead) {
  const time = typeof clock === "function" ? clock() : clock;
  if (!isTime(time) || Number.isNaN(Number(time))) {
    throw new TypeError(`the option \`clock\` gave ${kindOf(time)}; expected a Date, or milliseconds since 1970`);
  }
  const ms = Math.trunc(Number(time) + ahead);
  if (!isWithin(ms)) throw new RangeError("the clock cannot show that time: it goes from 1970 to the year 275760");
  return ms;
}
