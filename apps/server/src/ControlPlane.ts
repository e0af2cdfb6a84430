/** Which layers the control plane is made of. */
import { type Certificates, InProcessTransport, Server, UserInfo } from "@reddwarf/apiserver"
import { ApiClient, EventRecorder } from "@reddwarf/client"
import { ControllerManager } from "@reddwarf/controller"
import { Scheduler } from "@reddwarf/scheduler"
import { Compaction, ObjectStore, StoreError } from "@reddwarf/store"
import { Effect, Layer, Option } from "effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Bind } from "./ServeSettings.js"
import { version } from "./version.js"

export interface Options {
  readonly dataDir: string
  readonly bind: Bind
  readonly advertise: string
  readonly external: Option.Option<Certificates.ExternalFiles>
}

const store = (dataDir: string) =>
  Layer.unwrapEffect(
    Effect.try({
      try: () => {
        mkdirSync(dataDir, { recursive: true, mode: 0o700 })
        return ObjectStore.layerSqlite({ path: join(dataDir, "store.db") })
      },
      catch: (cause) => new StoreError.StoreUnavailable({ path: dataDir, detail: "the data directory cannot be made", cause })
    })
  )

/** A client of the API in this process, acting as one of the control plane's own users. Fresh: layers are shared by reference, users must not be. */
const clientOf = (name: string) =>
  Layer.fresh(ApiClient.layer).pipe(Layer.provide(InProcessTransport.layer(UserInfo.authenticated(name, []))))

const scheduler = Scheduler.layer().pipe(Layer.provide(clientOf("system:kube-scheduler")))

const controllers = ControllerManager.layer().pipe(
  Layer.provide(EventRecorder.layer({ component: "node-controller" })),
  Layer.provide(clientOf("system:kube-controller-manager"))
)

export const layer = (options: Options) =>
  Layer.merge(scheduler, controllers).pipe(
    Layer.provideMerge(Server.layer({
      edge: options.bind,
      api: { version, advertise: options.advertise },
      ...(Option.isSome(options.external) ? { external: options.external.value } : {})
    })),
    Layer.provide(Layer.provideMerge(Compaction.layer(), store(options.dataDir)))
  )
