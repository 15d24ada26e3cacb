/** The worker's entry: what the platform calls, handed to the roots. */
import { openApp } from "./app.ts";
import { readBindings, readConfig } from "./config.ts";
import { runCron } from "./schedule.ts";

export { Compactor } from "./durable-objects/compactor.ts";
export { Directory } from "./durable-objects/directory.ts";
export { ShardBuffer } from "./durable-objects/shard-buffer.ts";

/** One app per environment: settings are read and checked once an isolate, not once a request. */
const apps = new WeakMap<Env, ReturnType<typeof openApp>>();

const worker: ExportedHandler<Env> = {
  fetch(request, env, ctx) {
    let app = apps.get(env);
    if (app === undefined) {
      app = openApp({ ...env }, readBindings(env));
      apps.set(env, app);
    }
    return app.fetch(request, env, ctx);
  },
  async scheduled(controller, env) {
    await runCron(controller, readBindings(env), readConfig({ ...env }));
  },
};

export default worker;
