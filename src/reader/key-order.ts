/** The order in which stores list keys: that of their UTF-8 bytes, which is not the one of JavaScript's `<`. */

/** Compares two keys as their UTF-8 bytes would be compared: negative, zero or positive. */
export function compareKeys(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const difference = toRank(left.charCodeAt(index)) - toRank(right.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** UTF-16 puts the surrogates of characters above U+FFFF before U+E000; UTF-8 puts those characters last. */
function toRank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}
