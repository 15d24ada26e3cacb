/**
 * One fuzz run against a real Firn on plain workerd: mutants over keep-alive connections, valid controls between them,
 * and at the end everything read back. {@link runFuzz} decides nothing of how a run is reported.
 */
import { setTimeout as delay } from "node:timers/promises";
import { bundleWorker } from "../../bench/worker-bundle.ts";
import { startFirn, type FirnServer } from "../../bench/workerd-server.ts";
import { flushAll } from "../firn-client.ts";
import { openAnswerChecks, type AnswerChecks } from "./check-answer.ts";
import { openConnection, type Answer, type Connection, type HttpRequest } from "./connection.ts";
import { judgeControls, makeControl, toHttpRequest, type Control } from "./controls.ts";
import { watchMemory, type MemoryReport } from "./memory.ts";
import { openMutants, type Mutant } from "./mutants.ts";
import { createRandom, type Random } from "./random.ts";
import { readBack, readProfiles, type ReadBack } from "./read-back.ts";
import { gatherSeeds } from "./seed-bodies.ts";
import { shrink } from "./shrink.ts";

/** How long and with what. */
export interface FuzzOptions {
  readonly seed: number;
  /** The run ends when this time is over and as many mutated bodies were sent … */
  readonly seconds: number;
  readonly minBodies: number;
  /** … or when this time is over. */
  readonly maxSeconds: number;
}

/** Something that must not be, and what brings it about. */
export interface Finding {
  readonly what: string;
  /** Absent when no single request is at fault. */
  readonly mutant?: Mutant;
}

/** What a run tried and what it found. */
export interface FuzzReport {
  /** Marshaler and compression of the archive. */
  readonly form: string;
  readonly bodies: number;
  readonly controls: number;
  /** Of the sending alone, without start and reading back. */
  readonly seconds: number;
  readonly statuses: ReadonlyMap<number, number>;
  readonly kinds: ReadonlyMap<string, number>;
  /** Different error messages, numbers masked. */
  readonly messages: number;
  readonly memory: MemoryReport;
  readonly readBack: readonly ReadBack[];
  readonly findings: readonly Finding[];
}

const CONNECTIONS = 24;
/** One request in so many is a control. */
const CONTROL_EVERY = 100;
/** Far above what an answer takes, also on a machine that does other things. */
const REQUEST_TIMEOUT_MILLIS = 20_000;
const CONTROL_ATTEMPTS = 50;
const CONTROL_PAUSE_MILLIS = 200;
/** A run that has found so many different things ends. */
const MAX_FINDINGS = 20;
const WARM_UP = 0.25;
const MIB = 1024 * 1024;
/** What caches, indexes and the heap may gain after the warm-up; some 100,000 bodies later they have it all. */
const MAX_GROWTH_BYTES = { short: 256 * MIB, long: 64 * MIB } as const;
const LONG_RUN_BODIES = 400_000;
/** The archive's forms, of which the seed chooses one. */
const FORMS = [
  { ARCHIVE_MARSHALER: "otlp_proto", ARCHIVE_COMPRESSION: "gzip" },
  { ARCHIVE_MARSHALER: "otlp_proto", ARCHIVE_COMPRESSION: "zstd" },
  { ARCHIVE_MARSHALER: "otlp_proto", ARCHIVE_COMPRESSION: "none" },
  { ARCHIVE_MARSHALER: "otlp_json", ARCHIVE_COMPRESSION: "gzip" },
  { ARCHIVE_MARSHALER: "otlp_json", ARCHIVE_COMPRESSION: "zstd" },
  { ARCHIVE_MARSHALER: "otlp_json", ARCHIVE_COMPRESSION: "none" },
] as const;
const SETTINGS = { FLUSH_INTERVAL_SECONDS: "5" };

interface Run {
  readonly options: FuzzOptions;
  readonly firn: FirnServer;
  readonly checks: AnswerChecks;
  readonly nextMutant: () => Mutant;
  readonly controlRandom: Random;
  readonly controls: Control[];
  readonly statuses: Map<number, number>;
  readonly kinds: Map<string, number>;
  readonly findings: Finding[];
  /** Each is shrunk and shown once. */
  readonly faults: Map<string, number>;
  readonly startedAt: number;
  sent: number;
}

/** Runs, and stops and deletes whatever it started. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const random = createRandom(options.seed);
  const form = FORMS[options.seed % FORMS.length] ?? FORMS[0];
  const nextMutant = openMutants(await gatherSeeds(), random);
  const firn = await startFirn({ ...SETTINGS, ...form });
  const began = Date.now();
  try {
    const run: Run = {
      options,
      firn,
      checks: openAnswerChecks(bundleWorker().script),
      nextMutant,
      controlRandom: createRandom(options.seed + 1),
      controls: [],
      statuses: new Map(),
      kinds: new Map(),
      findings: [],
      faults: new Map(),
      startedAt: performance.now(),
      sent: 0,
    };
    const watch = watchMemory(firn.pid);
    await Promise.all(Array.from({ length: CONNECTIONS }, () => drive(run)));
    const seconds = (performance.now() - run.startedAt) / 1000;
    const memory = watch.stop(WARM_UP);
    if (memory.growth > MAX_GROWTH_BYTES[run.sent < LONG_RUN_BODIES ? "short" : "long"])
      run.findings.push({ what: `resident memory grew by ${Math.round(memory.growth / MIB)} MiB after the warm-up` });
    const results = await concludeRun(run, began);
    return {
      form: Object.values(form).join(" "),
      bodies: run.sent - run.controls.length,
      controls: run.controls.length,
      seconds,
      statuses: run.statuses,
      kinds: run.kinds,
      messages: run.checks.messages.size,
      memory,
      readBack: results,
      findings: run.findings,
    };
  } finally {
    await firn.stop();
  }
}

/** Sends one request after the other over one connection until the run is over. */
async function drive(run: Run): Promise<void> {
  const connection = openConnection(run.firn.port, REQUEST_TIMEOUT_MILLIS);
  try {
    while (!isOver(run)) {
      const number = run.sent++;
      if (number % CONTROL_EVERY === 0) await sendControl(run, connection, number);
      else await sendMutant(run, connection);
    }
  } finally {
    connection.close();
  }
}

function isOver({ options, sent, controls, startedAt, findings }: Run): boolean {
  const seconds = (performance.now() - startedAt) / 1000;
  const isDone = seconds >= options.seconds && sent - controls.length >= options.minBodies;
  return isDone || seconds >= options.maxSeconds || findings.length >= MAX_FINDINGS;
}

/** Sends a control until it is acknowledged, as an exporter would. */
async function sendControl(run: Run, connection: Connection, serial: number): Promise<void> {
  const control = makeControl(run.controlRandom, serial);
  run.controls.push(control);
  for (let attempt = 0; attempt < CONTROL_ATTEMPTS; attempt += 1) {
    const { status } = await connection.send(toHttpRequest(control)).catch((error: unknown) => {
      run.findings.push({ what: `a control was not answered: ${String(error)}` });
      return { status: 0 };
    });
    count(run.statuses, status);
    if (status === 200) control.outcome = "acked";
    else if (status !== 503 && status !== 0) run.findings.push({ what: `a control was answered with ${status}` });
    if (status !== 503) return;
    await delay(CONTROL_PAUSE_MILLIS);
  }
  run.findings.push({ what: `a control was not taken in ${CONTROL_ATTEMPTS} attempts` });
}

async function sendMutant(run: Run, connection: Connection): Promise<void> {
  const mutant = run.nextMutant();
  count(run.kinds, mutant.kind);
  const fault = await tryMutant(run, connection, mutant);
  if (fault === null) return;
  count(run.faults, `${mask(fault)} ${mutant.kind}`);
  if (run.faults.get(`${mask(fault)} ${mutant.kind}`) !== 1) return;
  const isSame = async (body: Uint8Array): Promise<boolean> =>
    mask((await tryMutant(run, connection, { ...mutant, body })) ?? "") === mask(fault);
  // A hang costs its whole time-out again, and a coded body means nothing when it is cut.
  const isCheap = mutant.contentEncoding === null && !fault.includes("none within");
  run.findings.push({ what: fault, mutant: isCheap ? { ...mutant, body: await shrink(mutant.body, isSame) } : mutant });
}

/** @returns what is wrong with the answer, or `null` */
async function tryMutant(run: Run, connection: Connection, mutant: Mutant): Promise<string | null> {
  let answer: Answer;
  try {
    answer = await connection.send(toRequest(mutant));
  } catch (error) {
    return String(error);
  }
  count(run.statuses, answer.status);
  return run.checks.judge(mutant, answer);
}

function toRequest({ method, path, contentType, contentEncoding, body, framing }: Mutant): HttpRequest {
  const headers: (readonly [string, string])[] = [];
  if (contentType !== null) headers.push(["Content-Type", contentType]);
  if (contentEncoding !== null) headers.push(["Content-Encoding", contentEncoding]);
  return { method, path, headers, body, framing };
}

/** Flushes, reads everything back and judges the controls. */
async function concludeRun(run: Run, began: number): Promise<readonly ReadBack[]> {
  try {
    await run.firn.call("GET", "/status");
    await flushAll(`http://127.0.0.1:${run.firn.port}`);
    const onFault = (what: string): number => run.findings.push({ what });
    const options = { firn: run.firn, from: began, until: Date.now(), onFault };
    const results = await readBack(options);
    for (const { format, controls } of results) {
      const fault = judgeControls(run.controls, controls);
      if (fault !== null) run.findings.push({ what: `controls in ${format}: ${fault}` });
    }
    return [...results, ...(await readProfiles(options))];
  } catch (error) {
    run.findings.push({ what: `the archive cannot be read back: ${String(error)}` });
    return [];
  }
}

function mask(text: string): string {
  return text.replaceAll(/\d+/g, "0").slice(0, 60);
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
