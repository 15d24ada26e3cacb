/** As much of a wrong name or value as a message repeats. */
const SHOWN_CHARS = 64;

/** Cuts a text from outside, so that a message stays readable whatever was sent. */
export function shorten(text: string): string {
  return text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS)}…`;
}
