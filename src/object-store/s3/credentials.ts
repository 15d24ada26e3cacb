/**
 * Which keys sign the next request: those of the settings, or those of a role, kept in memory and renewed before they
 * expire (platform.md 5.3). One renewal at a time; while the old keys live, a renewal that fails changes nothing.
 */
import type { S3CredentialsConfig, S3Keys } from "../../config/storage-config.ts";
import {
  STORE_CALL_TIMEOUT,
  STS_RENEW_JITTER,
  STS_RENEW_MARGIN,
  STS_RENEW_PAUSE,
  STS_TOKEN_MIN_AGE,
} from "../../limits.ts";
import { assumeRole, type RoleRequest, type StsDeps, type TemporaryKeys } from "./sts.ts";

/** Where keys come from. */
export interface CredentialSource {
  /** @throws FirnError when a role is not given and no keys are left that live. */
  readonly current: () => Promise<S3Keys>;
  /**
   * Takes note that a store called keys expired or invalid.
   * @returns whether `current()` may give others now
   */
  readonly renew: (used: S3Keys) => boolean;
}

/** Opens the source that the settings describe. @param random 0 to 1, for jitter */
export function openCredentials(config: S3CredentialsConfig, deps: StsDeps, random: () => number): CredentialSource {
  if (config.kind === "web-identity") return openRole(config, deps, random);
  const { keys, role } = config;
  if (role !== null) return openRole({ kind: "keys", keys, role }, deps, random);
  return { current: async () => keys, renew: () => false };
}

/** Keys of a role, with the instants that matter; milliseconds since the epoch. */
interface HeldKeys extends TemporaryKeys {
  readonly gotAt: number;
  readonly renewAt: number;
}

function openRole(request: RoleRequest, deps: StsDeps, random: () => number): CredentialSource {
  const { now } = deps.clock;
  let held: HeldKeys | null = null;
  let pending: { readonly keys: Promise<HeldKeys>; readonly startedAt: number } | null = null;

  async function fetchKeys(): Promise<HeldKeys> {
    const { keys, expiresAt } = await assumeRole(request, deps);
    const gotAt = now();
    // Keys for less than twice the margin are renewed after half of their life.
    const margin = Math.min(STS_RENEW_MARGIN + random() * STS_RENEW_JITTER, (expiresAt - gotAt) / 2);
    held = { keys, expiresAt, gotAt, renewAt: expiresAt - margin };
    return held;
  }

  function fetchOnce(): Promise<HeldKeys> {
    // An invocation that ended may have taken its call with it: nobody waits for that longer than it could last.
    if (pending !== null && now() - pending.startedAt < STORE_CALL_TIMEOUT) return pending.keys;
    const mine = { keys: fetchKeys(), startedAt: now() };
    pending = mine;
    const end = (): void => {
      if (pending === mine) pending = null;
    };
    mine.keys.then(end, end);
    return mine.keys;
  }

  return {
    current: async () => {
      if (held !== null && now() < held.renewAt) return held.keys;
      try {
        return (await fetchOnce()).keys;
      } catch (error) {
        if (held === null || now() >= held.expiresAt) throw error;
        held = { ...held, renewAt: now() + STS_RENEW_PAUSE };
        return held.keys;
      }
    },
    renew: (used) => {
      if (held === null || held.keys !== used) return true;
      // Keys that were refused as soon as they came will not be better the next time.
      if (now() - held.gotAt < STS_TOKEN_MIN_AGE) return false;
      held = null;
      return true;
    },
  };
}
