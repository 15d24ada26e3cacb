/** The container that a write finds missing: made once, where the settings want that, and the write is asked again. */
import type { AzureStorageConfig } from "../../config/storage-config.ts";
import { FirnError } from "../../errors.ts";
import { discard } from "../http/answer-body.ts";
import type { AzureAnswer, AzureClient, AzureRequest } from "./azure-client.ts";

/**
 * Asks for a write.
 * @throws FirnError `store_refused` when the container is missing and cannot be made, as with most signatures
 */
export async function askMakingContainer(
  client: AzureClient,
  config: AzureStorageConfig,
  request: AzureRequest,
): Promise<AzureAnswer> {
  const answer = await client.ask(request);
  const isMissing = answer.kind === "failed" && answer.failure.code === "ContainerNotFound";
  if (!isMissing || !config.createsContainer) return answer;
  await createContainer(client, config);
  return client.ask(request);
}

async function createContainer(client: AzureClient, { container, endpoint }: AzureStorageConfig): Promise<void> {
  const failure = `Cannot create container "${container}" of ${endpoint}`;
  const query = { restype: "container" };
  const answer = await client.ask({ method: "PUT", failure, query, expects: 201 });
  if (answer.kind === "answered") return discard(answer.response);
  const { code } = answer.failure;
  // Another put was faster.
  if (code === "ContainerAlreadyExists") return;
  const error = client.toError(failure, answer.failure);
  if (error.kind !== "store_refused") throw error;
  const advice = "create it by hand, or give credentials that may";
  throw new FirnError("store_refused", `${failure}, which is missing: ${advice} (${code ?? answer.failure.status})`);
}
