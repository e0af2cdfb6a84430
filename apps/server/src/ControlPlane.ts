/** Which layers the control plane is made of. */
import { Kinds } from "@reddwarf/api-types"
import { ApiServer, Certificates, InProcessTransport, PodPlacements, RbacDefaults, Server, UserInfo, WriteBehind } from "@reddwarf/apiserver"
import { ApiClient, EventRecorder } from "@reddwarf/client"
import { BuiltInObjects, ControllerManager } from "@reddwarf/controller"
import { ZoneInstance } from "@reddwarf/plans"
import { ConfiguredScheduler, type Registry, Scheduler, SchedulerConfiguration } from "@reddwarf/scheduler"
import { Compaction, ObjectStore, StoreError } from "@reddwarf/store"
import { Effect, Layer, Option } from "effect"
import { mkdirSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { type Bind, parseBind } from "./ServeSettings.js"
import { version } from "./version.js"

export interface Options {
  readonly dataDir: string
  readonly bind: Bind
  readonly advertise: string
  readonly external: Option.Option<Certificates.ExternalFiles>
  /** File of bearer tokens. */
  readonly tokenFile: Option.Option<string>
  /** Network that services get their addresses from. */
  readonly serviceNetwork: string
  /** Who ServiceAccount tokens say they are from. */
  readonly issuer: string
  /** The default profile unless given. */
  readonly scheduler?: SchedulerConfiguration.SchedulerConfiguration
  /** The plugins that its profiles can name; the built-in ones unless given. */
  readonly schedulerPlugins?: Registry.Registry
  /** Whether requests become spans. */
  readonly traced: boolean
}

const store = (dataDir: string) =>
  Layer.unwrapEffect(
    Effect.try({
      try: () => {
        mkdirSync(dataDir, { recursive: true, mode: 0o700 })
        return ObjectStore.layerSqlite({ path: join(dataDir, "store.db"), writeBehind: { prefixes: WriteBehind.prefixes } })
      },
      catch: (cause) => new StoreError.StoreUnavailable({ path: dataDir, detail: "the data directory cannot be made", cause })
    })
  )

/** A client of the API in this process, acting as one of the control plane's own users. Fresh: layers are shared by reference, users must not be. */
const clientOf = (name: string, groups: ReadonlyArray<string>) =>
  Layer.fresh(ApiClient.layer).pipe(Layer.provide(InProcessTransport.layer(UserInfo.authenticated(name, groups))))

/** The scheduler. It is the only one of its name unless the configuration says that it takes turns with others. */
const scheduler = (options: Options) =>
  ConfiguredScheduler.layer(options.scheduler ?? SchedulerConfiguration.defaults, {
    identity: `${hostname()}_${String(process.pid)}`,
    leaderElect: false,
    ...(options.schedulerPlugins === undefined ? {} : { registry: options.schedulerPlugins })
  }).pipe(
    Layer.provide(clientOf("system:kube-scheduler", []))
  )

/** Lets clients of the API ask the scheduler why a pod goes where it goes. */
const explanations = Layer.scopedDiscard(
  Effect.flatMap(Effect.all([PodPlacements.PodPlacements, Scheduler.Scheduler]), ([placements, { explain }]) => placements.answerWith(explain))
)

/** The authority by which clients know this server. */
const authority = (options: Options) =>
  Option.isSome(options.external)
    ? Effect.map(Certificates.fromFiles(options.external.value), (files) => files.authority)
    : Effect.map(Certificates.Certificates, (certificates) => certificates.authority)

/** How long a node may be silent: as long as the lease that its agent renews every 10 seconds. */
const leaseDuration = "40 seconds"

/** Who signs certificates. Clients known by an authority made elsewhere get theirs there, too. */
const signer = (options: Options) =>
  Option.isSome(options.external) ? Effect.succeed({}) : Effect.map(Certificates.Certificates, (signer) => ({ certificates: { signer } }))

/** The controllers write every kind, whoever made it, so their user is one that may: nothing outside this process can act as it. */
const controllers = (options: Options) =>
  Layer.unwrapEffect(Effect.map(Effect.all([authority(options), signer(options)]), ([pem, signing]) =>
    ControllerManager.layer({ rootCa: { authority: pem }, node: { nodeMonitorGracePeriod: leaseDuration }, ...signing }))).pipe(
    Layer.provide(EventRecorder.layer({ component: "kube-controller-manager" })),
    Layer.provide(clientOf("system:kube-controller-manager", ["system:masters"]))
  )

/** What every cluster has. The server's own Service names it by the address that clients use, if that is one. */
const builtInObjects = (options: Options) => {
  const { host, port } = Option.getOrElse(parseBind(options.advertise), () => options.bind)
  return BuiltInObjects.layer({
    objects: [
      ...BuiltInObjects.rbac(Kinds.clusterRole, RbacDefaults.clusterRoles),
      ...BuiltInObjects.rbac(Kinds.clusterRoleBinding, RbacDefaults.clusterRoleBindings),
      ...BuiltInObjects.rbac(Kinds.role, RbacDefaults.roles),
      ...BuiltInObjects.rbac(Kinds.roleBinding, RbacDefaults.roleBindings),
      ...BuiltInObjects.priorityClasses,
      ...BuiltInObjects.definition(ZoneInstance.definition),
      ...BuiltInObjects.apiServerService({ serviceNetwork: options.serviceNetwork, address: host, port })
    ]
  }).pipe(Layer.provide(clientOf("system:apiserver", ["system:masters"])))
}

const serverOptions = (options: Options): Server.Options => ({
  edge: { ...options.bind, traced: options.traced },
  api: {
    version,
    advertise: options.advertise,
    // The controllers of this process make the accounts and what is mounted with their tokens.
    serviceAccounts: true,
    services: { network: options.serviceNetwork }
  },
  tokens: { issuer: options.issuer },
  metrics: {},
  ...(Option.isSome(options.tokenFile) ? { tokenFile: options.tokenFile.value } : {}),
  ...(Option.isSome(options.external) ? { external: options.external.value } : {})
})

/** Whoever watches over this server is told first that it is about to stop. */
const drainFirst = Layer.scopedDiscard(Effect.flatMap(ApiServer.ApiServer, ({ drain }) => Effect.addFinalizer(() => drain)))

/** The port opens before the store is read, and closes after the last write. */
export const layer = (options: Options) => {
  const server = serverOptions(options)
  return drainFirst.pipe(
    Layer.provideMerge(Layer.mergeAll(Layer.provide(explanations, scheduler(options)), controllers(options), builtInObjects(options))),
    Layer.provideMerge(Server.layerBehind(server)),
    Layer.provide(PodPlacements.layer),
    Layer.provide(Layer.provideMerge(Compaction.layer(), store(options.dataDir))),
    Layer.provideMerge(Server.layerEdge(server))
  )
}
