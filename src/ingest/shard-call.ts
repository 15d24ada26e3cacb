/** The call by which a member reaches its shard: how it is sent, when it is repeated, what a failure means. */
import type { AppendHead, AppendOutcome, ShardBufferContract, ShardIdentity } from "../buffer/contract.ts";
import { FirnError, toErrorMessage } from "../errors.ts";
import { MEMBER_INLINE_MAX_BYTES, RETRY_AFTER_OVERLOAD } from "../limits.ts";
import { log } from "../log.ts";

/** What the call needs. */
export interface ShardCallDeps {
  /** Shards know a copy: without it a call that may have stored the request is never repeated here. */
  readonly isDeduped: boolean;
  readonly openShard: (identity: ShardIdentity) => Pick<ShardBufferContract, "append" | "appendStream">;
}

/**
 * Hands a member to its shard; once more where the platform says that it may help and the shard would know a copy.
 * @throws FirnError `unavailable` for whatever the call failed with.
 */
export async function appendMember(deps: ShardCallDeps, head: AppendHead, member: Uint8Array): Promise<AppendOutcome> {
  try {
    return await callShard(deps, head, member);
  } catch (error) {
    const mayRepeat = deps.isDeduped && hasFlag(error, "retryable") && !hasFlag(error, "overloaded");
    if (!mayRepeat) throw toUnavailable(deps, head, error);
  }
  try {
    return await callShard(deps, head, member);
  } catch (error) {
    throw toUnavailable(deps, head, error);
  }
}

function callShard(deps: ShardCallDeps, head: AppendHead, member: Uint8Array): Promise<AppendOutcome> {
  const shard = deps.openShard(head.identity);
  if (member.byteLength > MEMBER_INLINE_MAX_BYTES) return shard.appendStream(head, new Blob([member]).stream());
  // A call sends the whole buffer of a view.
  return shard.append(head, member.byteLength === member.buffer.byteLength ? member : member.slice());
}

/** Whatever a shard failed with, the client still holds the data and may try again: never a 500 (reliability I11). */
function toUnavailable({ isDeduped }: ShardCallDeps, head: AppendHead, error: unknown): FirnError {
  const { tenant, signal, shard } = head.identity;
  log("warn", "append.failed", { tenant, signal, shard, error: toErrorMessage(error) });
  // What was lost may be the answer alone, so that nobody knows here whether the request is durable.
  const advice = isDeduped
    ? "sending it again is safe"
    : "sending it again may store it twice, because DEDUPE_WINDOW_SECONDS is 0";
  const message = `Cannot confirm the request: it may have been stored, ${advice}`;
  return new FirnError("unavailable", message, { retryAfterSeconds: RETRY_AFTER_OVERLOAD, cause: error });
}

/** Flags that the platform sets on errors of Durable Object calls (platform.md 3.2). */
function hasFlag(error: unknown, flag: "retryable" | "overloaded"): boolean {
  return typeof error === "object" && error !== null && Reflect.get(error, flag) === true;
}
