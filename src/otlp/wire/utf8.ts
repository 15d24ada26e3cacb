/**
 * Strict UTF-8 of RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF. Hot path: `walk.ts`
 * comes here for every text that is not ASCII. Benchmark: `bench/otlp-walk.ts`.
 */

/** Says whether the bytes from `start` to before `end` are valid UTF-8. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let position = start;
  while (position < end) {
    const lead = bytes[position] ?? 0;
    if (lead < 0x80) {
      position += 1;
      continue;
    }
    const size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead < 0xc2 || lead > 0xf4 || end - position < size) return false;
    const second = bytes[position + 1] ?? 0;
    if (second < lowestSecond(lead) || second > highestSecond(lead)) return false;
    if (size > 2 && ((bytes[position + 2] ?? 0) & 0xc0) !== 0x80) return false;
    if (size > 3 && ((bytes[position + 3] ?? 0) & 0xc0) !== 0x80) return false;
    position += size;
  }
  return true;
}

/** E0 and F0 would otherwise start overlong forms (RFC 3629 section 4). */
function lowestSecond(lead: number): number {
  return lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
}

/** ED would otherwise start a surrogate, F4 a code point above U+10FFFF (RFC 3629 section 4). */
function highestSecond(lead: number): number {
  return lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
}
