/**
 * Branded units: a number that carries what it counts, so that milliseconds never meet seconds by accident.
 * Only the constructors of this file cast.
 */

declare const unit: unique symbol;

/** A duration, or an instant since the Unix epoch, in milliseconds. */
export type Millis = number & { readonly [unit]: "ms" };
/** A duration in seconds. */
export type Seconds = number & { readonly [unit]: "s" };
/** A size in bytes. */
export type Bytes = number & { readonly [unit]: "B" };

/** Marks a number as milliseconds. */
export const millis = (value: number): Millis => value as Millis;
/** Marks a number as seconds. */
export const seconds = (value: number): Seconds => value as Seconds;
/** Marks a number as bytes. */
export const bytes = (value: number): Bytes => value as Bytes;

/** Converts seconds to milliseconds. */
export const secondsToMillis = (value: Seconds): Millis => millis(value * 1000);

export const KIB: Bytes = bytes(1024);
export const MIB: Bytes = bytes(1024 * 1024);
export const GIB: Bytes = bytes(1024 * 1024 * 1024);

export const MINUTE: Millis = millis(60_000);
export const HOUR: Millis = millis(3_600_000);
