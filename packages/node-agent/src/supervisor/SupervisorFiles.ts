/**
 * The files through which agent and supervisor talk. There is no pipe between the two: the agent writes a specification, the supervisor
 * writes state, exit records and logs, and each of them can be killed and started again at any time.
 *
 * All times are milliseconds since the epoch. Every file carries its schema version; a newer one than known is refused, never guessed.
 */
import { ZoneName } from "@reddwarf/runtime-illumos"
import * as Schema from "effect/Schema"
import { AllocationFailures } from "./AllocationFailures.js"
import { ContainerLifecycle, HookFailure, HookProgress } from "./ContainerLifecycle.js"
import { StartedWith } from "./Environments.js"
import { LateProcess, Variable } from "./FileVariables.js"
import { PodRestart } from "./PodRestart.js"
import { RestartRequest } from "./RestartRequest.js"

/** Characters that are safe as one component of a path. */
const pathComponent = (what: string) =>
  Schema.String.pipe(Schema.pattern(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?$/, {
    message: () => `${what} must be 1 to 254 letters, digits, '.', '_' or '-'`
  }))

/**
 * Which pod something belongs to. A pod that is deleted and created again has another uid.
 *
 * @category schemas
 */
export const PodIdentity = Schema.Struct({
  namespace: pathComponent("a namespace"),
  name: pathComponent("a pod name"),
  uid: pathComponent("a uid")
})
/** @category models */
export type PodIdentity = typeof PodIdentity.Type

/**
 * When a container is started again after it ended.
 *
 * @category schemas
 */
export const RestartPolicy = Schema.Literal("Always", "OnFailure", "Never")
/** @category models */
export type RestartPolicy = typeof RestartPolicy.Type

/**
 * `init` containers run one after the other before the others, `sidecar`s start among them and stay, `main` ones are the workload.
 * `ephemeral` ones are added for debugging while the pod runs, start at once and never again, and end with the pod.
 *
 * @category schemas
 */
export const ContainerKind = Schema.Literal("init", "sidecar", "main", "ephemeral")
/** @category models */
export type ContainerKind = typeof ContainerKind.Type

/**
 * Who a process runs as in its zone; `name` where the zone's accounts know it with this very group.
 *
 * @category schemas
 */
export const ContainerUser = Schema.Struct({
  uid: Schema.Number,
  gid: Schema.Number,
  name: Schema.optional(Schema.String),
  /** Further groups; absent means none. */
  groups: Schema.optional(Schema.Array(Schema.Number))
})
/** @category models */
export type ContainerUser = typeof ContainerUser.Type

/**
 * What the root of a container shows of its zone. Mounted from inside the zone, when the first process of the container starts.
 *
 * @category schemas
 */
export const RootBind = Schema.Struct({
  /** Absolute in the zone. */
  from: Schema.String,
  /** Absolute in the root, without symbolic links. */
  to: Schema.String,
  readOnly: Schema.optional(Schema.Boolean),
  /** What `from` is, where it is made when it is missing, for everybody to write to. */
  make: Schema.optional(Schema.Literal("folder", "file"))
})
/** @category models */
export type RootBind = typeof RootBind.Type

/**
 * A root beside that of the zone.
 *
 * @category schemas
 */
export const ContainerRoot = Schema.Struct({
  /** Absolute in the zone. */
  path: Schema.String,
  binds: Schema.optional(Schema.Array(RootBind))
})
/** @category models */
export type ContainerRoot = typeof ContainerRoot.Type

/**
 * What an image says about a process, as far as the variables of its container have a part in it: another environment is put together with it.
 *
 * @category schemas
 */
export const ImageWords = Schema.Struct({
  /** Each `NAME=value`. */
  env: Schema.Array(Schema.String),
  entrypoint: Schema.Array(Schema.String),
  cmd: Schema.Array(Schema.String)
})
/** @category models */
export type ImageWords = typeof ImageWords.Type

/**
 * One container: the process to run, complete, so that it can be started again while no agent is there.
 *
 * @category schemas
 */
export const ContainerSpec = Schema.Struct({
  name: pathComponent("a container name"),
  kind: ContainerKind,
  /** Program and arguments; the program is looked up in the container's `PATH`. */
  argv: Schema.NonEmptyArray(Schema.String),
  env: Schema.Array(Schema.Struct({ name: Schema.NonEmptyString, value: Schema.String })),
  /** Absolute path in the container's root. */
  workingDirectory: Schema.String,
  /** Default the root of the zone. */
  root: Schema.optional(ContainerRoot),
  /** Default the zone's root. */
  user: Schema.optional(ContainerUser),
  /** The image it was made from, as its status shows it. */
  imageID: Schema.optional(Schema.String),
  /** What of the process comes from that image. */
  image: Schema.optional(ImageWords),
  /** Keeps the input open for whoever attaches; default an empty input. */
  stdin: Schema.optional(Schema.Boolean),
  /** Ends the input for good when the first one who attached to it leaves. */
  stdinOnce: Schema.optional(Schema.Boolean),
  /** Gives the process a terminal. */
  tty: Schema.optional(Schema.Boolean),
  /** Hooks, stop signal, restart rules, last words. */
  lifecycle: Schema.optional(ContainerLifecycle),
  /** What files in volumes decide about the process. */
  late: Schema.optional(LateProcess)
})
/** @category models */
export type ContainerSpec = typeof ContainerSpec.Type

/**
 * What to do with the pod. A stop is identified by `requestId`: repeating it changes nothing, and its deadline is
 * `requestedAt + graceSeconds` whoever restarts in between. A later request can only make the deadline earlier.
 *
 * A `hold` ends the containers in the same way but is no end: what was not over starts again, as a restart, once `run` is wanted again.
 * That is how a pod gets another root.
 *
 * @category schemas
 */
export const Desired = Schema.Union(
  Schema.Struct({ state: Schema.Literal("run") }),
  Schema.Struct({
    state: Schema.Literal("stop"),
    requestId: Schema.String,
    requestedAt: Schema.Number,
    graceSeconds: Schema.Number,
    /** Why the node ends the pod; it has failed then, whatever its containers say. */
    verdict: Schema.optional(Schema.Struct({ reason: Schema.String, message: Schema.String }))
  }),
  Schema.Struct({
    state: Schema.Literal("hold"),
    requestId: Schema.String,
    requestedAt: Schema.Number,
    graceSeconds: Schema.Number
  })
)
/** @category models */
export type Desired = typeof Desired.Type

/**
 * Waiting time before a restart: none for the first, then `initialMillis`, doubling up to `maxMillis`; forgotten once an attempt ran for
 * `resetMillis`.
 *
 * @category schemas
 */
export const BackOffOptions = Schema.Struct({
  initialMillis: Schema.Number,
  maxMillis: Schema.Number,
  resetMillis: Schema.Number
})
/** @category models */
export type BackOffOptions = typeof BackOffOptions.Type

/**
 * Where logs go and how much of them is kept for each attempt.
 *
 * @category schemas
 */
export const LogOptions = Schema.Struct({
  /** Folder of the pod; each container has a folder in it. */
  directory: Schema.String,
  /** Bytes after which a log file is rotated. */
  maxBytes: Schema.Number,
  /** Files kept for one attempt, the current one included. */
  maxFiles: Schema.Number
})
/** @category models */
export type LogOptions = typeof LogOptions.Type

/**
 * `spec.json`: all the supervisor must know about a pod. Written by the agent only.
 *
 * @category schemas
 */
export const PodSpec = Schema.Struct({
  schema: Schema.Literal(1),
  pod: PodIdentity,
  zone: ZoneName.ZoneName,
  restartPolicy: RestartPolicy,
  /** In the order of the pod: init containers and sidecars first. */
  containers: Schema.Array(ContainerSpec),
  /** Grows while the pod runs. A list of its own: a supervisor that does not know it goes on with the rest. */
  ephemeralContainers: Schema.optional(Schema.Array(ContainerSpec)),
  /** When the pod is stopped because it was active for long enough. */
  activeDeadlineAt: Schema.optional(Schema.Number),
  /** Time to end for containers that the supervisor ends by itself. Default 30. */
  terminationGraceSeconds: Schema.optional(Schema.Number),
  /** Containers with a startup probe that succeeded, as `<name>/<attempt>`: what waits for them goes on. Written while the pod runs. */
  started: Schema.optional(Schema.Array(Schema.String)),
  /** Containers that are to be ended and started again. A supervisor that does not know of these lets them run. */
  restarts: Schema.optional(Schema.Array(RestartRequest)),
  /** Whether the memory of the zone has a bound, which may be what ends a process. */
  memoryBound: Schema.optional(Schema.Boolean),
  backOff: BackOffOptions,
  logs: LogOptions,
  desired: Desired,
  /**
   * What gave the containers other processes than those they began with. When it changes, those that run on are started anew from what this
   * specification says. Absent at first.
   */
  generation: Schema.optional(Schema.String),
  /** Hash over what the environments of `containers` were taken from beside the pod. */
  environment: Schema.optional(Schema.String),
  /** The processes that `generation` replaced, should it have to be taken back. */
  previous: Schema.optional(Schema.Struct({
    generation: Schema.String,
    containers: Schema.Array(ContainerSpec),
    environment: Schema.optional(Schema.String)
  }))
})
/** @category models */
export type PodSpec = typeof PodSpec.Type

/**
 * How an attempt ended. `Unknown`: nobody was there to see it (the shim itself was killed); its exit code is then 255. `OOMKilled`: it died in
 * a zone that ran out of memory meanwhile. `RestartingAllContainers`: it was killed because another container has all of them start anew.
 *
 * @category schemas
 */
export const ExitReason = Schema.Literal("Completed", "Error", "Unknown", "OOMKilled", "RestartingAllContainers")
/** @category models */
export type ExitReason = typeof ExitReason.Type

/**
 * `<container>/<attempt>.exit`: on disk, fsynced, before the next attempt starts.
 *
 * @category schemas
 */
export const ExitRecord = Schema.Struct({
  schema: Schema.Literal(1),
  /** `<zone>/<container>/<attempt>` */
  id: Schema.String,
  attempt: Schema.Number,
  pid: Schema.optional(Schema.Number),
  startedAt: Schema.Number,
  finishedAt: Schema.Number,
  /** `128 + n` when signal `n` ended the process. */
  exitCode: Schema.Number,
  signal: Schema.optional(Schema.Number),
  reason: ExitReason,
  /** What the container left as its last words. */
  message: Schema.optional(Schema.String)
})
/** @category models */
export type ExitRecord = typeof ExitRecord.Type

/**
 * Where a container is. `waiting`: its first attempt has not been started, or starting it failed (`problem` says why). `starting`: the
 * shim was asked to start the attempt. `running`: it did. `backOff`: ended, to be started again at `backOffUntil`. `finished`: ended for
 * good.
 *
 * @category schemas
 */
export const ContainerPhase = Schema.Literal("waiting", "starting", "running", "backOff", "finished")
/** @category models */
export type ContainerPhase = typeof ContainerPhase.Type

/**
 * One container in `state.json`.
 *
 * @category schemas
 */
export const ContainerState = Schema.Struct({
  name: Schema.String,
  phase: ContainerPhase,
  /** Number of the current or last attempt, from 0; -1 before the first. This is also the restart count. */
  attempt: Schema.Number,
  /** Folder of the current attempt in the directory that the zone shares. */
  launch: Schema.optional(pathComponent("a launch")),
  pid: Schema.optional(Schema.Number),
  startedAt: Schema.optional(Schema.Number),
  backOffUntil: Schema.optional(Schema.Number),
  /** The waiting time in force, or the one the next failure will bring. */
  backOffMillis: Schema.Number,
  /** Ends of the last two attempts that ended, the latest first. */
  exits: Schema.Array(ExitRecord),
  /** How far the hooks of the current attempt are. */
  hooks: Schema.optional(HookProgress),
  /** Hooks that failed, the latest first; a few. */
  hookFailures: Schema.optional(Schema.Array(HookFailure)),
  /** Variables that were read from files for the current attempt. */
  fileVariables: Schema.optional(Schema.Array(Variable)),
  /** What the last attempt that was begun was started with, where the specification did not say all of it. */
  startedWith: Schema.optional(StartedWith),
  /** What the zone had counted when the current attempt started. */
  allocationFailures: Schema.optional(AllocationFailures),
  /** Why the current attempt could not be started. */
  problem: Schema.optional(Schema.Struct({ reason: Schema.String, message: Schema.String }))
})
/** @category models */
export type ContainerState = typeof ContainerState.Type

/**
 * `state.json`: where the containers of a pod are. Written by the supervisor only.
 *
 * @category schemas
 */
export const PodState = Schema.Struct({
  schema: Schema.Literal(1),
  uid: Schema.String,
  /** The stop request that is being carried out, with the earliest deadline of all requests so far. */
  stop: Schema.optional(Schema.Struct({ requestId: Schema.String, deadline: Schema.Number })),
  /** The pod is being ended, or was, because it was active for as long as it may be. */
  deadlineExceeded: Schema.optional(Schema.Boolean),
  /** The request to hold the pod that has been carried out: no container runs, and none will before the pod may run on. */
  held: Schema.optional(Schema.String),
  /** All containers are being ended, to start anew from the first one. */
  restarting: Schema.optional(PodRestart),
  /** Ephemeral ones as well, once the supervisor has seen them. */
  containers: Schema.Array(ContainerState)
})
/** @category models */
export type PodState = typeof PodState.Type

/**
 * `supervisor.json`: who supervises.
 *
 * @category schemas
 */
export const SupervisorInfo = Schema.Struct({ schema: Schema.Literal(1), pid: Schema.Number, startedAt: Schema.Number })
/** @category models */
export type SupervisorInfo = typeof SupervisorInfo.Type

/** A container that was never started. @category constructors */
export const initialContainer = (name: string): ContainerState => ({
  name,
  phase: "waiting",
  attempt: -1,
  backOffMillis: 0,
  exits: []
})

/** State of a pod of which nothing was started. @category constructors */
export const initialState = (spec: PodSpec): PodState => ({
  schema: 1,
  uid: spec.pod.uid,
  containers: spec.containers.map((container) => initialContainer(container.name))
})

/** Text form of a specification, and back. @category schemas */
export const PodSpecJson = Schema.parseJson(PodSpec, { space: 1 })
/** Text form of a state, and back. @category schemas */
export const PodStateJson = Schema.parseJson(PodState, { space: 1 })
/** Text form of an exit record, and back. @category schemas */
export const ExitRecordJson = Schema.parseJson(ExitRecord, { space: 1 })
/** Text form of the supervisor's own record, and back. @category schemas */
export const SupervisorInfoJson = Schema.parseJson(SupervisorInfo, { space: 1 })
