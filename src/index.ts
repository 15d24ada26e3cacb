import { DurableObject } from "cloudflare:workers";
export class ShardBuffer extends DurableObject {}
export class Directory extends DurableObject {}
const worker: ExportedHandler<Env> = { fetch: () => new Response("firn") };
export default worker;
