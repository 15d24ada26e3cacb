/** Steps of the demo on a terminal: a line that moves while a step runs, and one that stays when it is done. */

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MILLIS = 80;
const DEFAULT_COLUMNS = 80;
const CLEAR_LINE = "\r\u001b[K";

/** Where steps are shown. */
export interface Terminal {
  /**
   * Runs a step. `work` may change the text of the line by its argument and returns what stays.
   * @throws whatever the step throws, after the line was marked with ✗
   */
  readonly step: <T>(title: string, work: (show: (detail: string) => void) => Promise<StepResult<T>>) => Promise<T>;
  readonly print: (text: string) => void;
}

/** A step's value and the words that stay in its line, with lines below it. */
interface StepResult<T> {
  readonly value: T;
  readonly summary: string;
  readonly details?: readonly string[];
}

/** Opens the terminal; where output is not one, each step is one plain line. */
export function openTerminal(out: NodeJS.WriteStream = process.stdout): Terminal {
  const moves = out.isTTY && process.env["CI"] === undefined && process.env["TERM"] !== "dumb";
  const paint = (code: number, text: string): string => (moves ? `\u001b[${code}m${text}\u001b[0m` : text);
  const print = (text: string): void => void out.write(`${text}\n`);
  const step: Terminal["step"] = async (title, work) => {
    let [detail, frame] = ["", 0];
    const draw = (): void => {
      const line = `${title} ${detail}`.slice(0, (out.columns || DEFAULT_COLUMNS) - 3);
      out.write(`${CLEAR_LINE}${paint(36, FRAMES[frame++ % FRAMES.length] ?? "")} ${line}`);
    };
    const timer = moves ? setInterval(draw, FRAME_MILLIS) : null;
    const end = (mark: string, summary: string): void => {
      if (timer !== null) clearInterval(timer);
      print(`${moves ? CLEAR_LINE : ""}${mark} ${title}${summary === "" ? "" : `: ${summary}`}`);
    };
    try {
      const { value, summary, details = [] } = await work((text) => (detail = text));
      end(paint(32, "✓"), summary);
      for (const line of details) print(`    ${line}`);
      return value;
    } catch (error) {
      end(paint(31, "✗"), "");
      throw error;
    }
  };
  return { step, print };
}

/** `1 item`, `12,345 items`. */
export function formatCount(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}

/** Size in the unit that fits. */
export function formatBytes(size: number): string {
  if (size < 1024) return `${size} B`;
  return size < 1024 * 1024 ? `${(size / 1024).toFixed(1)} KiB` : `${(size / 1024 / 1024).toFixed(1)} MiB`;
}
