/** `firn ls`: what stands in the archive, an hour and signal a line. */
import { parseWindow } from "../src/archive/window.ts";
import { SIGNALS } from "../src/signal.ts";
import { HOUR } from "../src/units.ts";
import { askFirn } from "./ask.ts";
import { EXIT, type Command } from "./command.ts";
import { formatCount, formatInstant, formatSize, formatTable } from "./figures.ts";
import { isOn, usageError, valueOf, type Values } from "./options.ts";
import { parsePlace, PLACE_OPTIONS } from "./place.ts";
import { print } from "./replay/spool.ts";

/** What of `GET /archive` is shown; `docs/operations.md` has the rest. */
interface Partition {
  readonly hour: string;
  readonly signal: string;
  readonly compaction: string;
  readonly object_count: number;
  readonly size_bytes: number;
  readonly item_count: number | null;
  readonly missing_output_count: number;
  readonly is_continued: boolean;
  readonly objects?: readonly ArchiveObject[];
}

interface ArchiveObject {
  readonly key: string;
  readonly size_bytes: number;
  readonly item_count: number | null;
  readonly is_visible: boolean;
}

interface Page {
  readonly partitions: readonly Partition[];
  readonly totals: Readonly<Record<string, number | null>>;
  readonly next: string | null;
}

/** Partitions or objects of a page; the server takes at most this. */
const PAGE_LIMIT = 5_000;
const DEFAULT_HOURS = 24;

/** `firn ls`. */
export const LS: Command = {
  name: "ls",
  summary: "Shows which hours the archive holds: objects, items, bytes",
  operands: "",
  options: [
    {
      name: "signal",
      value: "SIGNAL",
      what: `${SIGNALS.join(", ")} or all, the default.`,
      choices: [...SIGNALS, "all"],
    },
    { name: "start", value: "TIME", what: `As in firn replay; ${DEFAULT_HOURS} hours before the end by default.` },
    { name: "end", value: "TIME", what: "By default the end of this hour." },
    { name: "objects", value: null, what: "Every object with its key, too." },
    { name: "json", value: null, what: "One JSON document as GET /archive answers it, all pages together." },
    ...PLACE_OPTIONS,
  ],
  notes: ["Exit code: 0; 1 it failed, or an object that a manifest names is missing; 2 wrong usage."],
  run: async ({ values, positionals, world }) => {
    if (positionals[0] !== undefined) throw usageError(`Cannot use "${positionals[0]}": expected options only`);
    const address = parsePlace(values, world);
    const query = toQuery(values, world.now());
    const view = isOn(values, "json") ? openDocument() : openTable(isOn(values, "objects"));
    let totals: Page["totals"] = {};
    let missing = 0;
    for (let next: string | null = "first"; next !== null;) {
      if (next !== "first") query.set("cursor", next);
      const question = {
        method: "GET",
        path: `/archive?${query.toString()}`,
        verb: "list",
        member: "partitions",
      } as const;
      const page = (await askFirn(address, question)) as Page;
      totals = addTotals(totals, page.totals);
      missing += page.partitions.reduce((sum, partition) => sum + partition.missing_output_count, 0);
      await print(world.stdout, view.add(page.partitions));
      next = page.next;
    }
    await print(world.stdout, view.end(totals));
    if (missing > 0) world.stderr.write(`Objects that manifests name are missing: ${missing}, see firn verify\n`);
    return missing > 0 ? EXIT.failed : EXIT.done;
  },
};

function toQuery(values: Values, now: number): URLSearchParams {
  const end = valueOf(values, "end") ?? formatInstant(Math.ceil((now + 1) / HOUR) * HOUR);
  const start =
    valueOf(values, "start") ?? formatInstant(Math.max(0, parseWindow("1970-01-01", end).end - DEFAULT_HOURS * HOUR));
  parseWindow(start, end);
  return new URLSearchParams({
    signal: valueOf(values, "signal") ?? "all",
    start,
    end,
    objects: String(isOn(values, "objects")),
    limit: String(PAGE_LIMIT),
  });
}

/** What is known of all pages is known of the whole. */
function addTotals(left: Page["totals"], right: Page["totals"]): Page["totals"] {
  const isFirst = Object.keys(left).length === 0;
  return Object.fromEntries(
    Object.entries(right).map(([name, value]) => {
      const before = isFirst ? 0 : (left[name] ?? null);
      return [name, before === null || value === null ? null : before + value];
    }),
  );
}

/** How pages are shown. */
interface View {
  add(partitions: readonly Partition[]): string;
  end(totals: Page["totals"]): string;
}

function openDocument(): View {
  let separator = '{"partitions":[';
  return {
    add: (partitions) => {
      if (partitions.length === 0) return "";
      const text = partitions.map((partition) => JSON.stringify(partition)).join(",\n");
      const before = separator;
      separator = ",\n";
      return before + text;
    },
    end: (totals) => `${separator.startsWith("{") ? separator : ""}],"totals":${JSON.stringify(totals)},"next":null}\n`,
  };
}

const NUMBERS: ReadonlySet<number> = new Set([3, 4, 5]);
const HEAD = ["HOUR", "SIGNAL", "STATE", "OBJECTS", "ITEMS", "BYTES"];
/** Columns have the width of the first page at least. */
const WIDTHS = ["2026-05-01T14:00:00Z", "profiles", "compacted", "1,234", "123,456,789", "1023.9 MiB"];

function formatRows(rows: readonly (readonly string[])[]): string {
  const table = formatTable([WIDTHS, ...rows], NUMBERS);
  return table.slice(table.indexOf("\n") + 1);
}

function openTable(hasObjects: boolean): View {
  let isBegun = false;
  return {
    add: (partitions) => {
      const head = isBegun ? "" : formatRows([HEAD]);
      isBegun = true;
      const rows = partitions.map((partition) => {
        const line = partition.is_continued ? "" : formatRows([toRow(partition)]);
        return hasObjects ? line + (partition.objects ?? []).map(formatObject).join("") : line;
      });
      return head + rows.join("");
    },
    end: ({ object_count, item_count, size_bytes }) =>
      formatRows([
        ["total", "", "", formatCount(object_count ?? 0), formatItems(item_count ?? null), formatSize(size_bytes ?? 0)],
      ]),
  };
}

function toRow(partition: Partition): readonly string[] {
  const { hour, signal, compaction, object_count, item_count, size_bytes, missing_output_count } = partition;
  const state = missing_output_count > 0 ? `${missing_output_count} missing` : compaction;
  const figures = [formatCount(object_count), formatItems(item_count), formatSize(size_bytes)];
  return [formatInstant(Date.parse(hour)), signal, state, ...figures];
}

/** Of fresh objects only reading would tell. */
function formatItems(count: number | null): string {
  return count === null ? "?" : formatCount(count);
}

function formatObject({ key, size_bytes, item_count, is_visible }: ArchiveObject): string {
  const items = item_count === null ? "" : `, ${formatCount(item_count)} items`;
  return `  ${key}  ${formatSize(size_bytes)}${items}${is_visible ? "" : ", replaced"}\n`;
}
