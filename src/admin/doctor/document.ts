/**
 * What the doctor found: the answer of `GET /admin/doctor`, as it stands in JSON. Types only, so that whoever renders
 * or reads it needs nothing else of the doctor.
 */
import type { StorageGroupName, StoreAccess } from "../../config/storage-config.ts";
import type { ErrorKind } from "../../errors.ts";

/** The whole answer. */
export interface DoctorDocument {
  /** No check failed; warnings don't count. */
  readonly ok: boolean;
  /** Settings by name; of a secret only whether it is set. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  /** Sentences about what works and may surprise. */
  readonly warnings: readonly string[];
  /** Sentences about what does not work. */
  readonly errors: readonly string[];
  readonly stores: readonly StoreReport[];
  readonly advice: Advice;
}

export type SettingValue = string | number | boolean;

/** What a store answered. */
export interface StoreReport {
  readonly group: StorageGroupName;
  /** `r2`, `azure`, or `s3` with its dialect, such as `s3 (minio)`. */
  readonly store: string;
  readonly identity: string;
  /** Under which all keys of the group stand, with its slash; empty at the bucket's root. */
  readonly prefix: string;
  readonly steps: readonly StepReport[];
}

/** What was tried; the order in which it is tried is that of `probe-plan.ts`. */
export type StepName =
  "put" | "head" | "create_only" | "digest" | "multipart" | "multipart_abort" | "get" | "range" | "list" | "delete";

/** One step, with whose rights it was tried. */
export type StepReport = { readonly step: StepName; readonly access: StoreAccess } & StepOutcome;

export type StepOutcome =
  | { readonly outcome: "ok"; readonly duration_ms: number }
  | {
      readonly outcome: "failed";
      readonly kind: StepFailureKind;
      readonly message: string;
      /** Permissions in the store's own words, one of which is missing if the store refused; else empty. */
      readonly permissions: readonly string[];
      readonly duration_ms: number;
    }
  | { readonly outcome: "skipped"; readonly reason: string };

/** A store error's kind; `misbehaved`: it answered and broke a promise; `timed_out`: the doctor waits no longer. */
export type StepFailureKind = ErrorKind | "misbehaved" | "timed_out";

/** Whose rights a policy describes. */
export type Role = "writer" | "reader" | "compactor";
/** A JSON document, or words where the store has no policy documents. */
export type Policy = object | string;

/** What to give to the store's operator, by group; every document can be used as it stands. */
export interface Advice {
  readonly policies: Readonly<Record<string, Readonly<Record<Role, Policy>>>>;
  /** The bucket's rules, in the store's own form; `null` where the store takes none. */
  readonly lifecycle: Readonly<Record<string, object | null>>;
  /** Lines for a shell; a line that begins with `#` is a remark. Words in capitals are for the operator to fill in. */
  readonly commands: Readonly<Record<string, readonly string[]>>;
}
