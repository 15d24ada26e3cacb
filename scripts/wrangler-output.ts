/**
 * Tells what a user should see of what `wrangler dev` prints: errors and the worker's own warnings, and nothing of
 * banners, request lines and hints. The whole output goes to a log file, so nothing is lost by a wrong guess.
 */

/** Starts of lines that end an error's block. */
const NOISE = /^\s*(\[wrangler|⎔|▲|⛅|─|╭|╰|│|Your Worker|Using |env\.|Binding\b|\{"level")/u;
const ERROR = /^\s*✘|\bUncaught\b|^Error:|^\S*Error:/u;
// oxlint-disable-next-line no-control-regex -- escape sequences of colours are control characters
const COLOURS = /\u001b\[[0-9;]*m/g;

/** Decides line by line. Errors have several lines: what follows one is shown until something else begins. */
export interface OutputFilter {
  /** Returns the line without colours when it is to be shown, otherwise `null`. */
  readonly accept: (line: string) => string | null;
}

/** Makes a filter for one stream of output. */
export function createOutputFilter(): OutputFilter {
  let inError = false;
  return {
    accept: (raw) => {
      const line = raw.replaceAll(COLOURS, "").trimEnd();
      if (ERROR.test(line)) inError = true;
      else if (NOISE.test(line)) inError = false;
      if (inError) return line === "" ? null : line;
      return /^\{"level":"(warn|error)"/.test(line) ? line : null;
    },
  };
}

/** A build error leaves `wrangler dev` running with a port that accepts connections and never answers. */
export function isBuildFailure(line: string): boolean {
  return /Build failed|Could not resolve|The expected exports were not found|Processing wrangler\.toml/.test(line);
}
