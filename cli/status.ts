/** `firn status`: what buffers hold, what compaction does, what is wrong. */
import { askFirn } from "./ask.ts";
import { EXIT, type Command } from "./command.ts";
import { formatCount, formatSize, formatTable } from "./figures.ts";
import { isOn, usageError } from "./options.ts";
import { parsePlace, PLACE_OPTIONS } from "./place.ts";
import { print } from "./replay/spool.ts";

/** What of `GET /status` is shown. */
interface StatusAnswer {
  readonly tenant: string;
  readonly watermark: Readonly<Record<string, string>>;
  readonly backlog_bytes: number;
  readonly backlog_items: number;
  readonly shards: readonly ShardAnswer[];
  readonly compaction: readonly CompactionAnswer[];
}

interface Complaint {
  readonly at: string;
  readonly message: string;
}

interface ShardAnswer {
  readonly signal: string;
  readonly shard: number;
  /** It could not be asked; the rest is missing then. */
  readonly error?: string;
  readonly backlog_items?: number;
  readonly backlog_bytes?: number;
  readonly set_aside_batches?: number;
  readonly last_flush_at?: string | null;
  readonly last_error?: Complaint | null;
}

interface CompactionAnswer {
  readonly signal: string;
  /** It could not be asked; the rest is missing then. */
  readonly error?: string;
  readonly refusal?: string | null;
  readonly last_hour?: string | null;
  readonly waiting_hours?: number;
  readonly set_aside_hours?: number;
  readonly unreadable_objects?: number;
  readonly last_error?: Complaint | null;
}

/** `firn status`. */
export const STATUS: Command = {
  name: "status",
  summary: "Shows what buffers hold, up to when the archive is complete, and what is wrong",
  operands: "",
  options: [{ name: "json", value: null, what: "The document of GET /status." }, ...PLACE_OPTIONS],
  notes: ["Exit code: 0; 1 when it failed, or a shard or a Compactor cannot be asked; 2 wrong usage."],
  run: async ({ values, positionals, world }) => {
    if (positionals[0] !== undefined) throw usageError(`Cannot use "${positionals[0]}": expected options only`);
    const question = { method: "GET", path: "/status", verb: "ask", member: "watermark" } as const;
    const status = (await askFirn(parsePlace(values, world), question)) as StatusAnswer;
    await print(world.stdout, isOn(values, "json") ? `${JSON.stringify(status, null, 2)}\n` : formatStatus(status));
    const isWell = [...status.shards, ...status.compaction].every(({ error }) => error === undefined);
    return isWell ? EXIT.done : EXIT.failed;
  },
};

/** Formats the document for a terminal; ends in a line feed. */
export function formatStatus(status: StatusAnswer): string {
  const { tenant, watermark, backlog_items, backlog_bytes } = status;
  const shards = status.shards.map(({ signal, shard, backlog_items: items, backlog_bytes: size, last_flush_at }) => [
    signal,
    String(shard),
    formatCount(items ?? 0),
    formatSize(size ?? 0),
    last_flush_at ?? "never",
  ]);
  const compaction = status.compaction.map(
    ({ signal, last_hour, waiting_hours, set_aside_hours, unreadable_objects }) => [
      signal,
      last_hour ?? "none",
      formatCount(waiting_hours ?? 0),
      formatCount(set_aside_hours ?? 0),
      formatCount(unreadable_objects ?? 0),
    ],
  );
  const complaints = listComplaints(status);
  const buffered = `${formatCount(backlog_items)} items, ${formatSize(backlog_bytes)}`;
  return [
    `Tenant ${tenant === "" ? "(unnamed)" : tenant}: ${buffered} in buffers\n`,
    "\nThe archive is complete up to\n",
    formatTable(
      Object.entries(watermark).map(([signal, until]) => ["", signal, until]),
      new Set(),
    ),
    "\n",
    formatTable([["SIGNAL", "SHARD", "ITEMS", "BYTES", "LAST FLUSH"], ...shards], new Set([1, 2, 3])),
    "\n",
    formatTable([["SIGNAL", "COMPACTED", "WAITING", "SET ASIDE", "UNREADABLE"], ...compaction], new Set([2, 3, 4])),
    ...(complaints.length === 0 ? [] : ["\n", ...complaints.map((line) => `${line}\n`)]),
  ].join("");
}

function listComplaints({ shards, compaction }: StatusAnswer): readonly string[] {
  return [
    ...shards.flatMap(({ signal, shard, error, last_error, set_aside_batches }) => [
      ...listErrors(`${signal}, shard ${shard}`, error, last_error),
      ...((set_aside_batches ?? 0) > 0
        ? [`${signal}, shard ${shard}: ${set_aside_batches} batches are set aside`]
        : []),
    ]),
    ...compaction.flatMap(({ signal, error, last_error, refusal }) => [
      ...listErrors(`Compaction of ${signal}`, error, last_error),
      ...(typeof refusal === "string" ? [`Compaction of ${signal}: ${refusal}`] : []),
    ]),
  ];
}

function listErrors(who: string, error: string | undefined, last: Complaint | null | undefined): readonly string[] {
  if (error !== undefined) return [`${who}: cannot be asked, ${error}`];
  return last === null || last === undefined ? [] : [`${who}: last error at ${last.at}, ${last.message}`];
}
