/** Serving a session, in whichever process. */
import * as FileSystem from "@effect/platform/FileSystem"
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import { PortForward, RemoteCommand, type Upgrade } from "@reddwarf/streaming"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as ContainerAttach from "../container/ContainerAttach.js"
import * as ContainerCopy from "../container/ContainerCopy.js"
import * as PodPortForward from "../kubelet/PodPortForward.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import * as Paths from "../supervisor/SupervisorPaths.js"
import type { ForwardedPod, SessionOperation } from "./SessionOperation.js"

type Operation<Type extends SessionOperation["type"]> = Extract<SessionOperation, { readonly type: Type }>

/** What sessions need of the process that serves them. @category models */
export interface Surroundings {
  /** The agent's data directory. */
  readonly dataDir: string
  readonly runner: CommandRunner.CommandRunner["Type"]
  readonly fs: FileSystem.FileSystem
  readonly supervisor: SupervisorClient.SupervisorClient["Type"]
  /** The address of a pod by now: it may get one, or another one, while ports are forwarded. */
  readonly addressOf: (pod: ForwardedPod) => Effect.Effect<string | undefined>
}

/** How often a pod whose ports are forwarded is looked for. */
const lookInterval = "1 second"

/** Ends when the pod is gone. One whose containers have not been begun cannot be told from that, so it must have been there first. */
const goneAfterBeingThere = ({ dataDir, fs }: Surroundings, { uid }: ForwardedPod): Effect.Effect<void> => {
  const isThere = Effect.orElseSucceed(fs.exists(Paths.spec(dataDir, uid)), () => true)
  const wait = (there: boolean) => Effect.repeat(isThere, { until: (now) => now === there, schedule: Schedule.spaced(lookInterval) })
  return Effect.asVoid(Effect.zipRight(wait(true), wait(false)))
}

const portForward = (upgrade: Upgrade.Upgrade, { pod, ports }: Operation<"portForward">, surroundings: Surroundings): Effect.Effect<void> =>
  Effect.raceFirst(
    PortForward.serve<never>(upgrade, { ports }, (port) =>
      Effect.flatMap(surroundings.addressOf(pod), (address) => PodPortForward.connect({ ...pod, address }, port))),
    goneAfterBeingThere(surroundings, pod)
  )

const attach = (upgrade: Upgrade.Upgrade, { options, target }: Operation<"attach">, { dataDir, fs, runner, supervisor }: Surroundings): Effect.Effect<void> =>
  RemoteCommand.serve(upgrade, options, (channels) =>
    ContainerAttach.run(runner, supervisor, { dataDir, target, options }, channels).pipe(Effect.provideService(FileSystem.FileSystem, fs)))

/**
 * Grants the upgrade and serves the session to its end: that of the command, of the container, of the pod whose ports are forwarded, or of the
 * client.
 *
 * @category constructors
 */
export const serve = (upgrade: Upgrade.Upgrade, operation: SessionOperation, surroundings: Surroundings): Effect.Effect<void> =>
  operation.type === "portForward"
    ? portForward(upgrade, operation, surroundings)
    : operation.type === "attach"
    ? attach(upgrade, operation, surroundings)
    : RemoteCommand.serve(upgrade, operation.options, (channels) => ContainerCopy.serve(surroundings.runner, operation, channels))
