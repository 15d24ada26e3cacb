/** Text in the XML that is sent to a store. https://www.w3.org/TR/xml/#charsets */

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  // A parser would make a line feed of it, or a space of both.
  ["\r", "&#13;"],
  ["\n", "&#10;"],
  ["\t", "&#9;"],
]);

/** Whether text can stand in XML 1.0 at all: most control characters cannot, not even escaped. */
export function isXmlText(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- these are the characters in question
  return text.isWellFormed() && !/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/.test(text);
}

/** Escapes text for an element. */
export function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"\r\n\t]/g, (char) => ESCAPES.get(char) ?? char);
}
