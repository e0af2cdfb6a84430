/** A fresh root for an attempt: what the attempts before it wrote into their file system is gone, what is mounted there stays. */
import type * as FileSystem from "@effect/platform/FileSystem"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { Zfs } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import * as RootBeginnings from "../supervisor/RootBeginnings.js"
import { type PodPlace, StartFailure } from "./containerAttempt.js"

/**
 * Gives the root of a container what it began with. It is called before each attempt but the first, when nothing of the container runs; cut off
 * anywhere, the same attempt begins with it again. One command, and none for a container that has no root of its own. The zone goes on
 * meanwhile: ZFS exchanges the content of a mounted file system as a whole, and what is mounted in it stays mounted.
 */
export const renew = (place: PodPlace, container: string): Effect.Effect<void, StartFailure, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const roots = yield* RootBeginnings.read(place.dataDir, place.spec.pod.uid)
    const root = roots.find((other) => other.container === container)
    if (root === undefined) return
    const zfs = yield* Zfs.Zfs
    yield* zfs.rollback(root.snapshot, { destroyNewer: true })
  }).pipe(
    Effect.provide(Zfs.layer),
    Effect.provideService(CommandRunner.CommandRunner, place.runner),
    Effect.mapError(({ message }) => new StartFailure({ message: `the root of container ${container} cannot be made fresh, so it is not started: ${message}` }))
  )
